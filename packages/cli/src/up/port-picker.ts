import { BrokerError, type Net, type Random } from '@tandemmq/base'
import { errnoOf } from '@tandemmq/platform-node'
import { HOST } from './service-plan.ts'

/**
 * Where free ports are looked for: below the range from which the system takes the ports of outgoing connections (32768 on
 * Linux). A service that is down could otherwise find its port taken, even by a peer's connection that tries to reach it.
 */
const LOWEST = 10_240
const BELOW = 32_768
const TRIES = 200

export interface PortPickerPorts {
  readonly net: Net
  readonly random: Random
  /** Who holds a port, if that can be found out. */
  readonly holder: (port: number) => string | undefined
  readonly say: (sentence: string) => void
}

/** Picks ports that are free now, each one once. */
export class PortPicker {
  readonly #ports: PortPickerPorts
  readonly #picked = new Set<number>()

  constructor(ports: PortPickerPorts) {
    this.#ports = ports
  }

  /** The wanted port (1 to 65535), or the next free one above it: then says who has it and which is taken instead. */
  async wanted(port: number, purpose: string): Promise<number> {
    const last = Math.min(port + TRIES, 65_535)
    for (let candidate = port; candidate <= last; candidate += 1) {
      if (!(await this.#take(candidate))) continue
      if (candidate !== port) {
        const holder = this.#picked.has(port)
          ? 'this cluster'
          : (this.#ports.holder(port) ?? 'another process')
        this.#ports.say(`port ${port} is taken by ${holder}: ${purpose} takes ${candidate}`)
      }
      return candidate
    }
    throw new BrokerError('UNAVAILABLE', `no port from ${port} to ${last} is free for ${purpose}`)
  }

  /** Any free port, the `preferred` one if it is. */
  async any(preferred: number | undefined, purpose: string): Promise<number> {
    if (preferred !== undefined && (await this.#take(preferred))) return preferred
    for (let i = 0; i < TRIES; i += 1) {
      const candidate = LOWEST + this.#ports.random.below(BELOW - LOWEST)
      if (await this.#take(candidate)) return candidate
    }
    throw new BrokerError('UNAVAILABLE', `no free port was found for ${purpose}`)
  }

  async #take(port: number): Promise<boolean> {
    if (this.#picked.has(port)) return false
    try {
      const listener = await this.#ports.net.listen({ host: HOST, port }, (connection) =>
        connection.destroy(),
      )
      await listener.close()
      this.#picked.add(port)
      return true
    } catch (failure) {
      const code = errnoOf(failure)
      if (code === 'EADDRINUSE' || code === 'EACCES') return false
      throw failure
    }
  }
}
