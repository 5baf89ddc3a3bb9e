import type { LogOffset } from '@tandemmq/base'
import type { LogRange, Refusal } from '@tandemmq/codec'
import { ReasonCounts } from './reason-counts.ts'
import { WriteTimes } from './write-times.ts'

const MISMATCHES_MAX = 64

/** What a slave remembers of its connections and of its master's last words, for status pages. */
export class SlaveHistory {
  readonly #troubles = new ReasonCounts()
  #mismatches: readonly LogRange[] = []
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

  /** Ranges that the master found to differ, as last compared; the last {@link MISMATCHES_MAX} of them. */
  get mismatches(): readonly LogRange[] {
    return this.#mismatches
  }

  learnedMismatch(range: LogRange): void {
    const { from, to } = range
    if (this.#mismatches.some((known) => known.from === from && known.to === to)) return
    this.#mismatches = [...this.#mismatches, range].slice(-MISMATCHES_MAX)
  }

  /** Returns whether something in it was known to differ. A range is compared in other pieces each time: of one that it only touches the rest remains. */
  learnedEqual({ from, to }: LogRange): boolean {
    if (!this.#mismatches.some((known) => known.from < to && known.to > from)) return false
    this.#mismatches = this.#mismatches
      .flatMap((known) => [
        { from: known.from, to: Math.min(known.to, from) },
        { from: Math.max(known.from, to), to: known.to },
      ])
      .filter((rest) => rest.from < rest.to)
      .slice(-MISMATCHES_MAX)
    return true
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
