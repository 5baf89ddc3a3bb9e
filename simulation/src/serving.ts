import type { Witness } from './client-calls.ts'
import type { Cluster } from './cluster.ts'
import type { Misfortunes } from './misfortunes.ts'

/** For so long after a reset an old holder may not yet know that the token has moved (rule 4.2: gateways stamp, so nobody hears it). */
const LEASE_MS = 2_000

/** Watches that consumers are answered by one broker at a time. */
export class Serving {
  readonly #cluster: Cluster
  readonly #misfortunes: Misfortunes
  readonly #violate: (words: string) => void
  readonly #holders = new Map<number, string>()
  #accepted = 0

  constructor(cluster: Cluster, misfortunes: Misfortunes, violate: (words: string) => void) {
    this.#cluster = cluster
    this.#misfortunes = misfortunes
    this.#violate = violate
  }

  /** A broker writes an answer to a consumer. */
  answered({ by, epoch, at }: Witness): void {
    const holder = this.#holders.get(epoch)
    if (holder !== undefined && holder !== by) {
      this.#violate(`two holders: ${holder} and ${by} both answered under epoch ${epoch}`)
    }
    this.#holders.set(epoch, by)
    if (this.#misfortunes.resets.some((reset) => at - reset <= LEASE_MS)) return
    for (const other of this.#cluster.brokers) {
      if (other.name === by || other.state !== 'up' || other.broker?.servingEpoch === undefined) continue
      this.#violate(
        `overlap: ${by} answered at ${at} ms under ${epoch}, while ${other.name} believed in ${other.broker.servingEpoch}`,
      )
    }
  }

  /** A consumer was given an answer: later ones are never of an older epoch. */
  accepted({ epoch, by, at }: Witness): void {
    if (epoch < this.#accepted)
      this.#violate(`an answer of ${by} (${at} ms) under ${epoch} came after one of ${this.#accepted}`)
    this.#accepted = Math.max(this.#accepted, epoch)
  }
}
