import type { Address } from '@tandemmq/base'
import type { MemberHello, MemberStatus, RegistryAnswer, RegistryLink } from '@tandemmq/registry'
import type { StreamPorts } from './message-exchange.ts'
import { SessionExchange } from './session-exchange.ts'

/** The registration stream between processes. */
export class RegistryService {
  readonly #sessions = new SessionExchange<MemberHello, MemberStatus, RegistryAnswer>()

  async serve(ports: StreamPorts, address: Address, registry: RegistryLink): Promise<void> {
    await this.#sessions.serve(ports, address, (...session) => registry.open(...session))
  }

  /** The link of a broker process. */
  link(ports: StreamPorts, address: Address): RegistryLink {
    return { open: (...session) => this.#sessions.open(ports, address, ...session) }
  }
}
