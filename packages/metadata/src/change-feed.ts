import type { Clock } from '@tandemmq/base'
import type { Change, Delivery } from './change.ts'
import type { Cursor } from './cursor.ts'

interface FeedEntry {
  readonly change: Change
  /** Monotonic: leases are handed on with the time that is left of them (rule 5.9). */
  readonly at: number
}

/**
 * The last changes of one store in their order, numbered without gaps. Whoever asks for more than the ring remembers
 * gets a snapshot instead.
 */
export class ChangeFeed {
  #processEpoch: number
  readonly #clock: Clock
  readonly #size: number
  /** The change that was counted c-th lies at c mod size. */
  readonly #ring: (FeedEntry | undefined)[] = []
  readonly #listeners = new Set<() => void>()
  #counter = 0
  #isTelling = false

  constructor(size: number, clock: Clock) {
    this.#processEpoch = clock.now()
    this.#size = size
    this.#clock = clock
  }

  get processEpoch(): number {
    return this.#processEpoch
  }

  /** Forgets everything: a new life of the process. */
  begin(processEpoch: number): void {
    this.#processEpoch = processEpoch
    this.#counter = 0
    this.#ring.length = 0
  }

  /** Where the next change will follow. */
  get cursor(): Cursor {
    return { processEpoch: this.#processEpoch, counter: this.#counter }
  }

  add(change: Change): void {
    this.#ring[this.#counter % this.#size] = { change, at: this.#clock.monotonic() }
    this.#counter++
    if (this.#isTelling || this.#listeners.size === 0) return
    this.#isTelling = true
    queueMicrotask(() => {
      this.#isTelling = false
      for (const listener of this.#listeners) listener()
    })
  }

  /** The changes after `cursor`, at most `limit`; undefined if the ring does not reach back to it. */
  since(cursor: Cursor | undefined, limit: number): readonly Change[] | undefined {
    if (cursor === undefined || cursor.processEpoch !== this.#processEpoch) return undefined
    if (cursor.counter > this.#counter || cursor.counter < this.#counter - this.#size) return undefined
    const changes: Change[] = []
    const end = Math.min(this.#counter, cursor.counter + limit)
    for (let counter = cursor.counter; counter < end; counter++) {
      const entry = this.#ring[counter % this.#size]
      if (entry !== undefined) changes.push(aged(entry.change, this.#clock.monotonic() - entry.at))
    }
    return changes
  }

  /** Calls `listener` in a later microtask, once for all changes of a turn; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** The change as it is `elapsedMs` after it was made. */
function aged(change: Change, elapsedMs: number): Change {
  const older = (delivery: Delivery): Delivery => ({
    ...delivery,
    remainingMs: Math.max(0, Math.floor((delivery.remainingMs ?? delivery.invisibleMs) - elapsedMs)),
  })
  switch (change.kind) {
    case 'lease':
      return { ...change, deliveries: change.deliveries.map(older) }
    case 'visibility':
      return { ...change, delivery: older(change.delivery) }
    case 'progress':
      return { ...change, leases: change.leases.map((lease) => ({ ...lease, ...older(lease) })) }
    default:
      return change
  }
}
