import type { LogOffset } from '@tandemmq/base'
import type { LogRange, Refusal } from '@tandemmq/codec'
import { ReasonCounts } from './reason-counts.ts'
import { WriteTimes } from './write-times.ts'

const MISMATCHES_MAX = 64

/** What a slave remembers of its connections and of its master's last words, for status pages. */
export class SlaveHistory {
  readonly #troubles = new ReasonCounts()
  /** The last ranges that the master found to differ, at most {@link MISMATCHES_MAX}. */
  readonly mismatches: LogRange[] = []
  readonly #now: () => number
  readonly #times: WriteTimes
  dials = 0
  connects = 0
  #masterEnd: LogOffset | undefined

  constructor(ownEnd: LogOffset, now: () => number) {
    this.#now = now
    this.#times = new WriteTimes(ownEnd, now())
  }

  /** By the master's last word; the end of its log. */
  get masterEnd(): LogOffset | undefined {
    return this.#masterEnd
  }

  /** How often a connection came to nothing or ended, by reason. */
  get troubles(): ReadonlyMap<string, number> {
    return this.#troubles.all
  }

  /** Returns the reason under which it is counted. */
  trouble({ reason }: Refusal): string {
    return this.#troubles.add(reason)
  }

  learnedMismatch(range: LogRange): void {
    const { from, to } = range
    if (this.mismatches.some((known) => known.from === from && known.to === to)) return
    if (this.mismatches.length === MISMATCHES_MAX) this.mismatches.shift()
    this.mismatches.push(range)
  }

  learnedEnd(end: LogOffset): void {
    const before = this.#masterEnd ?? 0
    this.#masterEnd = end
    if (end !== before) this.#times.wrote(Math.min(before, end), this.#now())
  }

  lag(ownEnd: LogOffset): { readonly lagBytes: number; readonly lagMs: number } {
    const end = this.#masterEnd ?? ownEnd
    return { lagBytes: Math.max(0, end - ownEnd), lagMs: this.#times.lagMs(ownEnd, end, this.#now()) }
  }
}
