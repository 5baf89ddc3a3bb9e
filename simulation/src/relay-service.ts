import type { Address } from '@tandemmq/base'
import type { RelayAnswer, RelayHello, RelayLink, RelayStatus } from '@tandemmq/registry'
import type { StreamPorts } from './message-exchange.ts'
import { SessionExchange } from './session-exchange.ts'

/** The stream on which a relay follows a registry. */
export class RelayService {
  readonly #sessions = new SessionExchange<RelayHello, RelayStatus, RelayAnswer>()

  async serve(ports: StreamPorts, address: Address, registry: RelayLink): Promise<void> {
    await this.#sessions.serve(ports, address, (...session) => registry.follow(...session))
  }

  /** The link of a relay's process. */
  link(ports: StreamPorts, address: Address): RelayLink {
    return {
      follow: (...terms) => {
        const closing = new AbortController()
        const session = this.#sessions.open(ports, address, ...terms, closing.signal)
        return { send: (status) => session.send(status), close: () => closing.abort() }
      },
    }
  }
}
