import type { BrokerNode } from './broker-node.ts'
import type { Cluster } from './cluster.ts'

const SAMPLE_MS = 50
/** A watch that has stood for so long counts, ms. */
const SETTLED_MS = 300
/** If it broke off before, it may have been too late for a delivery, and counts only after this long, ms: twice as long each further time (rule 5.8). */
const PROBATION_MIN_MS = 1_000
const PROBATION_MAX_MS = 32_000

interface Way {
  /** The process that is watched: another one remembers nobody who was late. */
  readonly process: object
  since: number | undefined
  breaks: number
}

/** Who certainly counts as watching whom, worked out from what can be seen of the ways between them, not from what they say. */
export class WatchedWays {
  readonly #cluster: Cluster
  readonly #ways = new Map<string, Way>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  begin(): void {
    this.#sample()
  }

  /** Those for whose acknowledgement this broker has to wait now. */
  watchersOf(watched: BrokerNode): readonly BrokerNode[] {
    const now = this.#cluster.time.monotonic()
    return this.#cluster.brokers.filter((watcher) => {
      const way = this.#ways.get(`${watched.name} to ${watcher.name}`)
      if (way?.since === undefined || way.process !== watched.process) return false
      const probationMs =
        way.breaks === 0 ? 0 : Math.min(PROBATION_MAX_MS, PROBATION_MIN_MS * 2 ** (way.breaks - 1))
      return now - way.since >= SETTLED_MS + probationMs && this.#isGood(watched, watcher)
    })
  }

  #sample(): void {
    const { brokers, time } = this.#cluster
    for (const watched of brokers) {
      for (const watcher of brokers) if (watcher !== watched) this.#look(watched, watcher)
    }
    time.after(SAMPLE_MS, () => this.#sample())
  }

  #look(watched: BrokerNode, watcher: BrokerNode): void {
    const name = `${watched.name} to ${watcher.name}`
    const { process } = watched
    if (process === undefined) return void this.#ways.delete(name)
    let way = this.#ways.get(name)
    if (way?.process !== process) {
      way = { process, since: undefined, breaks: 0 }
      this.#ways.set(name, way)
    }
    if (this.#isGood(watched, watcher)) way.since ??= this.#cluster.time.monotonic()
    else if (way.since !== undefined) {
      way.since = undefined
      way.breaks += 1
    }
  }

  #isGood(watched: BrokerNode, watcher: BrokerNode): boolean {
    return !this.#cluster.isDisturbed(watched, watcher) && watcher.isWatching(watched)
  }
}
