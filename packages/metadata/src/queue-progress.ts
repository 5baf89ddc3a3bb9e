import type { QueueOffset } from '@tandemmq/base'
import { RangeSet } from '@tandemmq/codec'
import type { AckedRecord, Delivery, LeaseState, Mark, ProgressState, QueueKey } from './change.ts'
import { GENERATION_ZERO, compareGenerations, type Generation } from './generation.ts'
import { InFlight, type LeaseView } from './in-flight.ts'
import { mergedMarks, withMark } from './marks.ts'
import { SettlingBudget } from './settling-budget.ts'
import { SettlingWrites } from './settling-writes.ts'

/** Beyond this many unacknowledged deliveries a queue offers nothing new until some are acknowledged. */
const IN_FLIGHT_MAX = 100_000

/**
 * How far one group is on one queue: which messages are acknowledged, which are out, how often each was delivered.
 * Change it only through `MetadataStore.commit`.
 */
export class QueueProgress {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  #generation: Generation = GENERATION_ZERO
  #voidFrom = Number.MAX_SAFE_INTEGER
  #acked = new RangeSet()
  /** Acknowledged or delivered: its gaps are what was never offered. */
  #touched = new RangeSet()
  readonly #inFlight = new InFlight()
  #marks: readonly Mark[] = []
  readonly #settling: SettlingWrites

  /** `budget` is that of all queues of a table. */
  constructor(key: QueueKey, budget = new SettlingBudget()) {
    this.#settling = new SettlingWrites(budget)
    this.group = key.group
    this.topic = key.topic
    this.queueId = key.queueId
  }

  get generation(): Generation {
    return this.#generation
  }

  /** The first unacknowledged queue offset: Apache's consumer offset. */
  get floor(): QueueOffset {
    return this.#acked.firstGap(0)
  }

  /** One past the highest queue offset that was acknowledged or delivered. */
  get end(): QueueOffset {
    return this.#touched.end
  }

  /** Delivered and not acknowledged, visible again or not. */
  get inFlight(): number {
    return this.#inFlight.size
  }

  isAcked(queueOffset: QueueOffset): boolean {
    return this.#acked.has(queueOffset)
  }

  /** The lowest queue offset ≥ `from` that is not acknowledged. */
  firstUnacked(from: QueueOffset): QueueOffset {
    return this.#acked.firstGap(from)
  }

  /** What was acknowledged or delivered in `[from, end)`. */
  *known(from: QueueOffset, end: QueueOffset): Generator<QueueOffset> {
    for (const [first, last] of this.#touched.ranges()) {
      for (let offset = Math.max(first, from); offset < Math.min(last, end); offset++) yield offset
    }
  }

  /** How many in `[from, end)` are not acknowledged. */
  unacked(from: QueueOffset, end: QueueOffset): number {
    return Math.max(0, end - from) - this.#acked.countIn(from, end)
  }

  /** What is known of the deliveries of an unacknowledged message; also after its invisibility is over. */
  lease(queueOffset: QueueOffset): LeaseView | undefined {
    return this.#inFlight.get(queueOffset)
  }

  leases(): Iterable<LeaseView> {
    return this.#inFlight.leases()
  }

  /** How many deliveries are invisible at `now` (monotonic). */
  invisibleCount(now: number): number {
    return this.#inFlight.invisibleCount(now)
  }

  /** Whether a delivery at `from` or past it is invisible at `now` (monotonic), apart from those in `except`. */
  hasInvisible(from: QueueOffset, now: number, except: ReadonlySet<QueueOffset>): boolean {
    return this.#inFlight.hasInvisible(from, now, except)
  }

  /**
   * The lowest queue offset in `[from, end)` that may be delivered at `now` (monotonic): never delivered, or visible again.
   * Ask again with `from` = the answer + 1 for the next one.
   */
  candidate(from: QueueOffset, end: QueueOffset, now: number): QueueOffset | undefined {
    const again = this.#inFlight.firstVisible(from, now) ?? Infinity
    const fresh = this.#inFlight.size < IN_FLIGHT_MAX ? this.#touched.firstGap(from) : Infinity
    const first = Math.min(again, fresh)
    return first < end ? first : undefined
  }

  /** When the next delivered message becomes visible again, on the monotonic clock; those visible at `now` do not count. */
  nextVisibleAt(now: number): number | undefined {
    return this.#inFlight.nextExpiry(now)
  }

  /** False if nothing changed. */
  ack(record: AckedRecord, generation: Generation): boolean {
    const from = record.from ?? record.queueOffset
    const to = this.#clipped(record.queueOffset + 1, generation)
    if (to <= from) return false
    const isNew = this.#acked.add(from, to)
    const isSettled = this.#settle(record, from, to, isNew)
    if (!isNew && !isSettled) return false
    this.#touched.add(from, to)
    this.#inFlight.deleteRange(from, to)
    if (to > record.queueOffset) this.#marks = withMark(this.#marks, record)
    return true
  }

  /** `now` is monotonic. False if nothing changed: acknowledged, of an older generation, or a newer delivery is known. */
  deliver(delivery: Delivery, servingEpoch: number, generation: Generation, now: number): boolean {
    const { queueOffset } = delivery
    if (compareGenerations(generation, this.#generation) < 0 || this.#acked.has(queueOffset)) return false
    const before = this.#inFlight.get(queueOffset)
    if (before && compareLeases({ ...delivery, servingEpoch }, before) <= 0) return false
    this.#put(delivery, servingEpoch, Math.max(delivery.attempt, before?.attempts ?? 0), now)
    return true
  }

  /** Sets the floor, whatever was known before. False unless `generation` is newer. */
  reset(to: QueueOffset, generation: Generation): boolean {
    if (compareGenerations(generation, this.#generation) <= 0) return false
    this.#generation = generation
    this.#voidFrom = Math.min(this.#voidFrom, to)
    this.#acked = RangeSet.of([[0, to]])
    this.#marks = []
    this.#settling.clear()
    this.#inFlight.clear()
    this.#retouch()
    return true
  }

  /** Forgets everything at or past `end`. False if there was nothing, or unless `generation` is newer. */
  cut(end: QueueOffset, generation: Generation): boolean {
    if (this.end <= end || compareGenerations(generation, this.#generation) <= 0) return false
    this.#adopt(generation, end)
    this.#retouch()
    return true
  }

  /** Forgets everything at or past `end`, under the same generation, and marks `last`, the record before that. False if nothing changed. */
  forgetFrom(end: QueueOffset, last?: Mark): boolean {
    const marks = this.#marks.filter((mark) => mark.queueOffset < end)
    const marked = last === undefined || this.#acked.isEmpty ? marks : withMark(marks, last)
    const isMarked = marked !== marks
    this.#marks = marked
    if (this.end <= end) return isMarked
    this.#acked.cut(end)
    if (end === 0) this.#settling.clear()
    else this.#settling.delete(end, Number.MAX_SAFE_INTEGER)
    this.#inFlight.deleteRange(end, Number.MAX_SAFE_INTEGER)
    this.#retouch()
    return true
  }

  /** Forgets what is known of `[from, to)`, as if it had never been offered. False if nothing was. */
  forget(from: QueueOffset, to: QueueOffset): boolean {
    this.#acked.remove(from, to)
    this.#settling.delete(from, to)
    this.#inFlight.deleteRange(from, to)
    return this.#touched.remove(from, to)
  }

  /** Rules 5.3 and 5.4. `now` is monotonic. False if nothing changed. */
  merge(state: ProgressState, now: number): boolean {
    const order = compareGenerations(state.generation, this.#generation)
    let changed = order > 0
    // What came under an older generation counts only below what newer ones have voided.
    const limit = order < 0 ? this.#voidFrom : Number.MAX_SAFE_INTEGER
    if (order > 0) {
      this.#adopt(state.generation, state.voidFrom)
      this.#inFlight.clear()
    } else if (state.voidFrom < this.#voidFrom) {
      this.#voidFrom = state.voidFrom
      changed = true
    }
    const acked = RangeSet.of(state.acked.map(([from, to]) => [from, Math.min(to, limit)] as const))
    changed = this.#settling.merge(acked, state.settling, (offset) => this.#acked.has(offset)) || changed
    changed = this.#acked.union(acked) || changed
    const before = this.#marks
    const marks = state.marks.filter(({ queueOffset }) => queueOffset < limit)
    this.#marks = mergedMarks(this.#marks, marks)
    changed =
      changed || this.#marks.length !== before.length || this.#marks.some((mark, at) => mark !== before[at])
    for (const { queueOffset } of this.#inFlight.leases()) {
      if (this.#acked.has(queueOffset)) changed = this.#inFlight.delete(queueOffset) || changed
    }
    if (order >= 0) for (const lease of state.leases) changed = this.#mergeLease(lease, now) || changed
    if (changed) this.#retouch()
    return changed
  }

  /** As of `now` (monotonic). */
  state(now: number): ProgressState {
    const settling = this.#settling.state()
    return {
      kind: 'progress',
      group: this.group,
      topic: this.topic,
      queueId: this.queueId,
      generation: this.#generation,
      voidFrom: this.#voidFrom,
      acked: [...this.#acked.ranges()],
      marks: this.#marks,
      leases: [...this.#inFlight.leases()].map((lease) => ({
        queueOffset: lease.queueOffset,
        stamp: lease.stamp,
        attempt: lease.attempt,
        attempts: lease.attempts,
        servingEpoch: lease.servingEpoch,
        deliveredAt: lease.deliveredAt,
        invisibleMs: lease.invisibleMs,
        remainingMs: Math.max(0, Math.floor(lease.invisibleUntil - now)),
      })),
      ...(settling && { settling }),
    }
  }

  /** Remembers what has settled it; a range is never settled by one write. False if nothing changed. */
  #settle({ queueOffset, after }: AckedRecord, from: QueueOffset, to: QueueOffset, isNew: boolean): boolean {
    if (after === undefined || from < queueOffset) return this.#settling.delete(from, to)
    return (isNew || this.#settling.has(queueOffset)) && this.#settling.add(queueOffset, after)
  }

  #mergeLease(lease: LeaseState, now: number): boolean {
    if (this.#acked.has(lease.queueOffset)) return false
    const before = this.#inFlight.get(lease.queueOffset)
    const attempts = Math.max(lease.attempts, lease.attempt, before?.attempts ?? 0)
    const isNewer = before === undefined || compareLeases(lease, before) > 0
    if (!isNewer) {
      if (attempts === before.attempts) return false
      this.#inFlight.set({ ...before, attempts })
      return true
    }
    this.#put(lease, lease.servingEpoch, attempts, now)
    return true
  }

  #put(delivery: Delivery, servingEpoch: number, attempts: number, now: number): void {
    this.#inFlight.set({
      queueOffset: delivery.queueOffset,
      stamp: delivery.stamp,
      attempt: delivery.attempt,
      attempts,
      servingEpoch,
      deliveredAt: delivery.deliveredAt,
      invisibleMs: delivery.invisibleMs,
      invisibleUntil: now + (delivery.remainingMs ?? delivery.invisibleMs),
    })
    this.#touched.add(delivery.queueOffset)
  }

  /** Moves to a newer generation that voids everything at or past `voidFrom`. */
  #adopt(generation: Generation, voidFrom: QueueOffset): void {
    this.#generation = generation
    this.#voidFrom = Math.min(this.#voidFrom, voidFrom)
    this.#acked.cut(voidFrom)
    this.#settling.delete(voidFrom, Number.MAX_SAFE_INTEGER)
    this.#marks = this.#marks.filter((mark) => mark.queueOffset < voidFrom)
    this.#inFlight.deleteRange(voidFrom, Number.MAX_SAFE_INTEGER)
  }

  /** What came under an older generation counts only below what newer ones have voided. */
  #clipped(to: QueueOffset, generation: Generation): QueueOffset {
    return compareGenerations(generation, this.#generation) < 0 ? Math.min(to, this.#voidFrom) : to
  }

  #retouch(): void {
    this.#touched = this.#acked.clone()
    for (const { queueOffset } of this.#inFlight.leases()) this.#touched.add(queueOffset)
  }
}

interface LeaseOrder {
  readonly servingEpoch: number
  readonly attempt: number
  readonly deliveredAt: number
  readonly invisibleMs: number
}

/** A total order, so that copies of changes may arrive in any order: rule 5.3, then the later change of one delivery. */
function compareLeases(a: LeaseOrder, b: LeaseOrder): number {
  return (
    a.servingEpoch - b.servingEpoch ||
    a.attempt - b.attempt ||
    a.deliveredAt - b.deliveredAt ||
    a.invisibleMs - b.invisibleMs
  )
}
