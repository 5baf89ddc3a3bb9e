import type { LogOffset, QueueOffset } from '@tandemmq/base'
import { BinaryHeap } from './binary-heap.ts'

/** A scheduled message that waits for its time. */
export interface DueEntry {
  /** Wall clock, ms. */
  readonly due: number
  /** In the timer queue. */
  readonly queueOffset: QueueOffset
  readonly offset: LogOffset
  readonly size: number
  /** Its real topic, where it is to be handed out from the timer queue. */
  readonly topic?: string | undefined
}

/**
 * The scheduled messages that are due first. However many there are, only so many are in memory; from {@link horizon} on they are on disk
 * alone and have to be read again.
 */
export class DueWindow {
  readonly #entriesMax: number
  readonly #heap = new BinaryHeap<DueEntry>(
    (a, b) => a.due < b.due || (a.due === b.due && a.queueOffset < b.queueOffset),
  )
  #horizon = Infinity

  /** @param entriesMax kept after a shrink; there are at most twice as many in between */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#heap.size
  }

  /** What is due at or after this may be missing; Infinity: nothing is. */
  get horizon(): number {
    return this.#horizon
  }

  first(): DueEntry | undefined {
    return this.#heap.peek()
  }

  take(): DueEntry | undefined {
    return this.#heap.pop()
  }

  add(entry: DueEntry): void {
    if (entry.due >= this.#horizon) return
    this.#heap.push(entry)
    if (this.#heap.size > 2 * this.#entriesMax) this.#shrink()
  }

  clear(): void {
    this.#heap.clear()
    this.#horizon = Infinity
  }

  #shrink(): void {
    const kept: DueEntry[] = []
    for (let next = this.#heap.pop(); next !== undefined; next = this.#heap.pop()) {
      kept.push(next)
      if (kept.length === this.#entriesMax) break
    }
    this.#horizon = this.#heap.peek()?.due ?? this.#horizon
    this.#heap.clear()
    for (const entry of kept) this.#heap.push(entry)
  }
}
