import { BrokerError, messageOf, type Address, type Connection, type Net } from '@tandemmq/base'
import type { Refusal } from '@tandemmq/codec'
import { isTlsFailure } from './one-sided-tls.ts'

/** Attempts to reach the master. Only the last one counts: a connection that an earlier one still brings is closed. */
export class SlaveDialing {
  readonly #net: Net
  readonly #address: Address
  readonly #beforeHello: () => Promise<void>
  #current: AbortController | undefined

  /** @param beforeHello what has to be done once a connection stands, before it is given out */
  constructor(net: Net, address: Address, beforeHello: () => Promise<void> = () => Promise.resolve()) {
    this.#net = net
    this.#address = address
    this.#beforeHello = beforeHello
  }

  /** The connection, or why there is none; `undefined`: this attempt was given up meanwhile. */
  async dial(): Promise<Connection | Refusal | undefined> {
    const attempt = new AbortController()
    this.#current = attempt
    const socket = await this.#connected(attempt.signal)
    if (attempt === this.#current && !attempt.signal.aborted) return socket
    if (!('reason' in socket)) socket.destroy()
    return undefined
  }

  /** Gives the attempt up that is under way. */
  abort(why: string): void {
    this.#current?.abort(new BrokerError('UNAVAILABLE', why))
  }

  async #connected(signal: AbortSignal): Promise<Connection | Refusal> {
    try {
      const socket = await this.#net.connect(this.#address, signal)
      await this.#beforeHello()
      return socket
    } catch (error) {
      return { reason: isTlsFailure(error) ? 'tls' : 'unreachable', words: messageOf(error) }
    }
  }
}
