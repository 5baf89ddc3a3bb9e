import { BrokerError, messageOf, type Address, type Clock, type Net } from '@tandemmq/base'
import type { Answer, Call, Down, Up } from './client-calls.ts'
import type { MessageExchange, MessageStream } from './message-exchange.ts'

const RETRY_MS = 50

interface Pending {
  readonly resolve: (answer: Answer) => void
}

/** The way from the gateway to one broker: connects when first used, again 50 ms after every loss. */
export class GatewayChannel {
  readonly #exchange: MessageExchange<Up, Down>
  readonly #net: Net
  readonly #clock: Clock
  readonly #address: Address
  readonly #changed: () => void
  readonly #pending = new Map<number, Pending>()
  #stream: MessageStream<Down, Up> | undefined
  #last = 0

  constructor(
    exchange: MessageExchange<Up, Down>,
    net: Net,
    clock: Clock,
    address: Address,
    changed: () => void,
  ) {
    this.#exchange = exchange
    this.#net = net
    this.#clock = clock
    this.#address = address
    this.#changed = changed
    this.#connect()
  }

  /** When the broker was heard last over a connection that is open; monotonic, ms. */
  get heardAt(): number | undefined {
    return this.#stream?.heardAt
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  /**
   * The broker's answer. `UNAVAILABLE` if the call never left, `FATE_UNKNOWN` if it left and the connection broke before the answer.
   * Aborting `signal` cancels it; the promise then stays open for ever.
   */
  call(call: Call, signal: AbortSignal): Promise<Answer> {
    const stream = this.#stream
    if (stream === undefined) return Promise.resolve(failed('UNAVAILABLE', 'not connected'))
    this.#last += 1
    const id = this.#last
    return new Promise((resolve) => {
      this.#pending.set(id, { resolve })
      const cancel = (): void => {
        if (this.#pending.delete(id)) stream.send({ kind: 'cancel', id })
      }
      signal.addEventListener('abort', cancel, { once: true })
      stream.send({ kind: 'call', id, call })
    })
  }

  #connect(): void {
    this.#exchange.connect({ net: this.#net, clock: this.#clock }, this.#address).then(
      (stream) => this.#connected(stream),
      (cause: unknown) => this.#lost(messageOf(cause)),
    )
  }

  #connected(stream: MessageStream<Down, Up>): void {
    this.#stream = stream
    stream.start({
      message: ({ id, answer }) => {
        this.#pending.get(id)?.resolve(answer)
        this.#pending.delete(id)
      },
      closed: (why) => this.#lost(why),
    })
    this.#changed()
  }

  #lost(why: string): void {
    this.#stream = undefined
    for (const { resolve } of this.#pending.values()) resolve(failed('FATE_UNKNOWN', why))
    this.#pending.clear()
    this.#clock.after(RETRY_MS, () => this.#connect())
    this.#changed()
  }
}

function failed(code: 'UNAVAILABLE' | 'FATE_UNKNOWN', why: string): Answer {
  return { kind: 'failed', why: new BrokerError(code, why) }
}
