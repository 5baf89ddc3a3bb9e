import { RangeSet } from '@tandemmq/codec'
import type { Change, ProgressState } from './change.ts'
import { weightOf, type Waiting } from './stamp-gate.ts'

/** Changes about records whose bytes are still on their way (rule 5.2), in the order in which they came. Bounded. */
export class PendingChanges {
  readonly #entriesMax: number
  #waiting: Waiting[] = []
  #entries = 0

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Entries waiting, in all. */
  get size(): number {
    return this.#entries
  }

  all(): readonly Change[] {
    return this.#waiting.map(({ change }) => change)
  }

  /** False if there is no room: the caller has to ask for everything again later. */
  add(waiting: Waiting): boolean {
    const { change } = waiting
    if (change.kind === 'progress') this.#forgetStatesIn(change)
    const weight = weightOf(change)
    if (this.#entries + weight > this.#entriesMax) return false
    this.#waiting.push(waiting)
    this.#entries += weight
    return true
  }

  /** Hands over those that are no longer to wait, and forgets them. */
  take(isDue: (waiting: Waiting) => boolean): readonly Waiting[] {
    const due = this.#waiting.filter(isDue)
    if (due.length === 0) return due
    const taken = new Set(due)
    this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting))
    for (const { change } of due) this.#entries -= weightOf(change)
    return due
  }

  /** A later state of the same queue says all that an earlier one of the same broker said. */
  #forgetStatesIn(newer: ProgressState): void {
    const { group, topic, queueId } = newer
    this.take(
      ({ change }) =>
        change.kind === 'progress' &&
        change.group === group &&
        change.topic === topic &&
        change.queueId === queueId &&
        !RangeSet.of(newer.acked).union(RangeSet.of(change.acked)),
    )
  }
}
