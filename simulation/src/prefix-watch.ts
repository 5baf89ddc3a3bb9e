import type { Broker } from '@tandemmq/broker'
import type { Cluster } from './cluster.ts'

const SAMPLE_MS = 250

interface Compared {
  readonly own: Broker
  readonly copy: Broker
  readonly upTo: number
}

/** All through a life the log of a slave that follows its master is a byte-identical prefix of the master's, as far as both have it. */
export class PrefixWatch {
  readonly #cluster: Cluster
  readonly #violate: (words: string) => void
  readonly #compared = new Map<string, Compared>()
  #bytes = 0

  constructor(cluster: Cluster, violate: (words: string) => void) {
    this.#cluster = cluster
    this.#violate = violate
  }

  begin(): void {
    this.#sample()
  }

  /** How many bytes were compared. */
  get bytes(): number {
    return this.#bytes
  }

  #sample(): void {
    const { master, slaves, time } = this.#cluster
    for (const { name, broker } of slaves) {
      const role = broker?.role
      const isFollowing =
        role?.kind === 'slave' && role.masterConnected && master.broker?.role.kind === 'master'
      if (isFollowing && broker !== undefined && master.broker !== undefined)
        this.#compare(name, master.broker, broker)
      else this.#compared.delete(name)
    }
    time.after(SAMPLE_MS, () => this.#sample())
  }

  #compare(name: string, own: Broker, copy: Broker): void {
    const known = this.#compared.get(name)
    const isSame = known?.own === own && known.copy === copy && known.upTo <= copy.store.end
    const from = Math.max(isSame ? known.upTo : 0, own.store.minOffset, copy.store.minOffset)
    const to = Math.min(own.store.end, copy.store.end)
    for (let at = from; at < to;) {
      const ours = own.store.read(at, to - at)
      const theirs = copy.store.read(at, ours.length)
      if (!theirs.equals(ours.subarray(0, theirs.length)))
        return this.#violate(
          `no prefix: ${name} follows ${this.#cluster.master.name} and differs from it after ${at}`,
        )
      at += theirs.length
    }
    this.#bytes += Math.max(0, to - from)
    this.#compared.set(name, { own, copy, upTo: to })
  }
}
