import type { Change } from './change.ts'
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
    // A later state of the same queue says all that the earlier one said.
    if (change.kind === 'progress') this.#forgetState(change.group, change.topic, change.queueId)
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

  #forgetState(group: string, topic: string, queueId: number): void {
    const index = this.#changes.findIndex(
      (change) =>
        change.kind === 'progress' &&
        change.group === group &&
        change.topic === topic &&
        change.queueId === queueId,
    )
    if (index === -1) return
    for (const removed of this.#changes.splice(index, 1)) this.#entries -= weightOf(removed)
  }
}
