import type { Cluster } from './cluster.ts'
import type { Contact } from './ledger.ts'
import type { PowerCut } from './misfortunes.ts'

const SAMPLE_MS = 50
/** What is known here this long before is known there, if the way between was good all the while (rule 5.1, and the watch). */
const SPREAD_MS = 200

/** A way for progress from one member to another. */
interface Passage {
  /** Whatever the source knew by then, the target knows … */
  readonly knownAt: number
  /** … from this moment on. */
  readonly from: number
  readonly source: string
  readonly target: string
}

/**
 * Which member must know of an acknowledgement, and from when on: computed from what was observed of the ways between members, not from
 * what they say of themselves. An acknowledged message may come again only from a member that could not know.
 */
export class Knowledge {
  readonly #cluster: Cluster
  readonly #passages: Passage[] = []
  readonly #goodSince = new Map<string, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  begin(): void {
    this.#sample()
  }

  /** One has handed to another all that it knew at that moment (monotonic, ms). */
  handedOver(source: string, target: string, knownAt: number): void {
    this.#passages.push({ knownAt, from: this.#cluster.time.monotonic(), source, target })
  }

  /** Whether `who` must have known at `when` that this was acknowledged. */
  mustKnow(ack: Contact, who: string, when: number, powerCuts: readonly PowerCut[]): boolean {
    const isLost = (member: string, learnt: number): boolean =>
      powerCuts.some((cut) => cut.who === member && cut.at >= learnt && cut.unsyncedSince <= learnt)
    if (isLost(ack.by, ack.at)) return false
    const known = new Map<string, number>([[ack.by, ack.at]])
    for (const { source, target, knownAt, from } of this.#passages) {
      if (from > when || known.has(target)) continue
      const learnt = known.get(source)
      if (learnt !== undefined && learnt <= knownAt && !isLost(target, from)) known.set(target, from)
    }
    return known.has(who)
  }

  #sample(): void {
    const { time, master, slaves } = this.#cluster
    const now = time.monotonic()
    for (const slave of slaves) {
      const role = slave.broker?.role
      const isGood =
        !this.#cluster.isDisturbed(master, slave) &&
        role?.kind === 'slave' &&
        slave.isWatching(master) &&
        role.masterConnected &&
        slave.broker?.metadata.pending === 0
      const way = `${master.name} to ${slave.name}`
      if (!isGood) this.#goodSince.delete(way)
      else if (!this.#goodSince.has(way)) this.#goodSince.set(way, now)
      const since = this.#goodSince.get(way)
      if (since !== undefined && now - since >= SPREAD_MS) {
        this.#passages.push({ knownAt: now - SPREAD_MS, from: now, source: master.name, target: slave.name })
      }
    }
    time.after(SAMPLE_MS, () => this.#sample())
  }
}
