import { RangeSet } from '@tandemmq/codec'
import type { Change, ProgressState } from './change.ts'
import { weightOf } from './stamp-gate.ts'

/** Changes about records whose bytes are still on their way (rule 5.2), in the order in which they came. Bounded. */
export class PendingChanges {
  readonly #entriesMax: number
  #changes: Change[] = []
  #entries = 0

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Entries waiting, in all. */
  get size(): number {
    return this.#entries
  }

  all(): readonly Change[] {
    return this.#changes
  }

  /** False if there is no room: the caller has to ask for everything again later. */
  add(change: Change): boolean {
    if (change.kind === 'progress') this.#forgetStatesIn(change)
    const weight = weightOf(change)
    if (this.#entries + weight > this.#entriesMax) return false
    this.#changes.push(change)
    this.#entries += weight
    return true
  }

  /** Hands them all over and forgets them. */
  takeAll(): readonly Change[] {
    const changes = this.#changes
    this.#changes = []
    this.#entries = 0
    return changes
  }

  /** A later state of the same queue says all that an earlier one of the same broker said. */
  #forgetStatesIn(newer: ProgressState): void {
    const { group, topic, queueId } = newer
    this.#changes = this.#changes.filter((change) => {
      const isSaid =
        change.kind === 'progress' &&
        change.group === group &&
        change.topic === topic &&
        change.queueId === queueId &&
        !RangeSet.of(newer.acked).union(RangeSet.of(change.acked))
      if (isSaid) this.#entries -= weightOf(change)
      return !isSaid
    })
  }
}
