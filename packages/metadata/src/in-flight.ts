import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import { ExpiryHeap } from './expiry-heap.ts'

/** A message that was delivered and not acknowledged. It outlives its invisibility: the attempts are counted on. */
export interface LeaseView {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  /** Attempt of the current lease. */
  readonly attempt: number
  /** The highest attempt ever made; the next delivery is this plus one. */
  readonly attempts: number
  readonly servingEpoch: number
  /** Wall clock, ms. */
  readonly deliveredAt: number
  readonly invisibleMs: number
  /** On this process's monotonic clock, ms. */
  readonly invisibleUntil: number
}

interface Entry {
  lease: LeaseView
  /** In the sorted list of those that may be delivered again. */
  isVisible: boolean
}

/**
 * The delivered and unacknowledged messages of one queue. Finding the next one to deliver again and the next expiry is
 * logarithmic, so thousands of them cost nothing.
 */
export class InFlight {
  readonly #entries = new Map<QueueOffset, Entry>()
  readonly #expiries = new ExpiryHeap()
  /** Sorted. */
  #visible: QueueOffset[] = []

  get size(): number {
    return this.#entries.size
  }

  get(queueOffset: QueueOffset): LeaseView | undefined {
    return this.#entries.get(queueOffset)?.lease
  }

  *leases(): Generator<LeaseView> {
    for (const { lease } of this.#entries.values()) yield lease
  }

  set(lease: LeaseView): void {
    const { queueOffset } = lease
    const before = this.#entries.get(queueOffset)
    if (before?.isVisible) this.#hide(queueOffset)
    this.#entries.set(queueOffset, { lease, isVisible: false })
    this.#expiries.push({ at: lease.invisibleUntil, queueOffset })
    // Void expiries are skipped when they surface; a lease renewed for hours must not pile them up below the surface.
    if (this.#expiries.size > 2 * this.#entries.size + 64) this.#rebuildExpiries()
  }

  delete(queueOffset: QueueOffset): boolean {
    if (this.#entries.get(queueOffset)?.isVisible) this.#hide(queueOffset)
    return this.#entries.delete(queueOffset)
  }

  /** Deletes those in `[from, to)`; false if there were none. */
  deleteRange(from: QueueOffset, to: QueueOffset): boolean {
    let changed = false
    if (to - from <= this.#entries.size) {
      for (let offset = from; offset < to; offset++) changed = this.delete(offset) || changed
      return changed
    }
    for (const offset of this.#entries.keys()) {
      if (offset >= from && offset < to) changed = this.delete(offset) || changed
    }
    return changed
  }

  clear(): void {
    this.#entries.clear()
    this.#expiries.clear()
    this.#visible = []
  }

  /** The lowest one ≥ `from` whose invisibility is over at `now`. */
  firstVisible(from: QueueOffset, now: number): QueueOffset | undefined {
    this.#expire(now)
    return this.#visible[this.#placeOf(from)]
  }

  /** When the next one becomes visible again (after `now`). */
  nextExpiry(now: number): number | undefined {
    this.#expire(now)
    return this.#expiries.peek()?.at
  }

  /** How many are invisible at `now`. */
  invisibleCount(now: number): number {
    this.#expire(now)
    return this.#entries.size - this.#visible.length
  }

  /** Whether one ≥ `from` is invisible at `now`, apart from those in `except`. */
  hasInvisible(from: QueueOffset, now: number, except: ReadonlySet<QueueOffset>): boolean {
    if (this.invisibleCount(now) === 0) return false
    for (const [queueOffset, { isVisible }] of this.#entries) {
      if (!isVisible && queueOffset >= from && !except.has(queueOffset)) return true
    }
    return false
  }

  /** Afterwards the heap's top is valid and lies after `now`. */
  #expire(now: number): void {
    for (let top = this.#expiries.peek(); top !== undefined; top = this.#expiries.peek()) {
      const entry = this.#entries.get(top.queueOffset)
      const isValid = entry !== undefined && !entry.isVisible && entry.lease.invisibleUntil === top.at
      if (isValid && top.at > now) return
      this.#expiries.pop()
      if (!isValid) continue
      entry.isVisible = true
      this.#visible.splice(this.#placeOf(top.queueOffset), 0, top.queueOffset)
    }
  }

  #hide(queueOffset: QueueOffset): void {
    this.#visible.splice(this.#placeOf(queueOffset), 1)
  }

  /** Where `queueOffset` is, or would be, in the list of visible ones. */
  #placeOf(queueOffset: QueueOffset): number {
    let left = 0
    let right = this.#visible.length
    while (left < right) {
      const middle = (left + right) >>> 1
      if ((this.#visible[middle] ?? Infinity) < queueOffset) left = middle + 1
      else right = middle
    }
    return left
  }

  #rebuildExpiries(): void {
    this.#expiries.clear()
    for (const [queueOffset, { lease, isVisible }] of this.#entries) {
      if (!isVisible) this.#expiries.push({ at: lease.invisibleUntil, queueOffset })
    }
  }
}
