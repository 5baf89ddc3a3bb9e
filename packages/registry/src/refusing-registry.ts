import { BrokerError } from '@tandemmq/base'
import type { RegistryLink, RegistrySession } from './registry-link.ts'
import type { RelayLink, RelaySession } from './relay-link.ts'

/** What a relay has in place of a registry: it refuses brokers and other relays, and names who grants (rule 4.8). */
export class RefusingRegistry implements RegistryLink, RelayLink {
  readonly #grantor: string

  /** `grantor` is `host:port`. */
  constructor(grantor: string) {
    this.#grantor = grantor
  }

  open(...[, , onClosed]: Parameters<RegistryLink['open']>): RegistrySession {
    return this.#refuse('registers nobody: the registry is at', onClosed)
  }

  follow(...[, , onClosed]: Parameters<RelayLink['follow']>): RelaySession {
    return this.#refuse('cannot be followed: it follows the grantor at', onClosed)
  }

  #refuse(words: string, onClosed: (why: BrokerError) => void): { send(): void; close(): void } {
    let isClosed = false
    queueMicrotask(() => {
      const why = `this metadata-rpc is a relay and ${words} ${this.#grantor}`
      if (!isClosed) onClosed(new BrokerError('PEER_REFUSED', why))
    })
    return {
      send: () => {},
      close: () => {
        isClosed = true
      },
    }
  }
}
