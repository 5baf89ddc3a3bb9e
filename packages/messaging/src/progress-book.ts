import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'

/** One message handed to a consumer. */
export interface Delivery {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  /** 1 = first. */
  readonly attempt: number
  /** Wall clock, ms. */
  readonly deliveredAt: number
  /** From `deliveredAt` on; 0 = visible at once. */
  readonly invisibleMs: number
}

/** Messages `[from, queueOffset]` (`from` defaults to `queueOffset`) that the group will not see again. */
export interface Settled {
  readonly queueOffset: QueueOffset
  /** Of the record at `queueOffset`. */
  readonly stamp: RecordStamp
  readonly from?: QueueOffset
  /** The internal write that settles it (rule 5.5). */
  readonly after?: RecordStamp
}

interface OfQueue {
  readonly group: string
  readonly topic: string
  readonly queueId: number
}

/** What messaging writes down about consumers and timers. */
export type ProgressChange =
  | (OfQueue & {
      readonly kind: 'lease'
      readonly servingEpoch: number
      readonly deliveries: readonly Delivery[]
    })
  | (OfQueue & { readonly kind: 'visibility'; readonly servingEpoch: number; readonly delivery: Delivery })
  | (OfQueue & { readonly kind: 'ack'; readonly records: readonly Settled[] })
  | { readonly kind: 'delay'; readonly done: readonly Settled[] }
  /** What is known of groups on the scheduled records `[from, to)` is of no use any more. */
  | { readonly kind: 'moved'; readonly from: QueueOffset; readonly to: QueueOffset }

/** The running or last delivery of an unacknowledged message. */
export interface LeaseView {
  readonly stamp: RecordStamp
  readonly attempt: number
  /** The highest attempt ever made. */
  readonly attempts: number
  /** Monotonic, ms; in the past once it is visible again. */
  readonly invisibleUntil: number
  /** Wall clock, ms: tells which of several handles of one attempt is the lease's own. */
  readonly deliveredAt: number
}

/** How far one group has got in one queue. */
export interface QueueProgressView {
  /** First offset that is not acknowledged. */
  readonly floor: QueueOffset
  isAcked(queueOffset: QueueOffset): boolean
  /** The lowest offset ≥ `from` that is not acknowledged. */
  firstUnacked(from: QueueOffset): QueueOffset
  /** How many in `[from, end)` are not acknowledged. */
  unacked(from: QueueOffset, end: QueueOffset): number
  /** How many deliveries are invisible at `now` (monotonic). */
  invisibleCount(now: number): number
  /** Whether a delivery at `from` or past it is invisible at `now` (monotonic), apart from those in `except`. */
  hasInvisible(from: QueueOffset, now: number, except: ReadonlySet<QueueOffset>): boolean
  lease(queueOffset: QueueOffset): LeaseView | undefined
  /** The lowest offset in `[from, end)` that was never delivered, or is visible again at `now` (monotonic). */
  candidate(from: QueueOffset, end: QueueOffset, now: number): QueueOffset | undefined
  /** When the next delivered message becomes visible again (monotonic, after `now`). */
  nextVisibleAt(now: number): number | undefined
}

/** Which scheduled messages were put into their real topics, by their offsets in the timer queue. */
export interface DelayView {
  /** First offset that is not done. */
  readonly floor: QueueOffset
  isDone(queueOffset: QueueOffset): boolean
  /** Those in `[from, end)` that are done, while progress of groups on them still waits for {@link ProgressBook.moveServed}. */
  unmoved(from: QueueOffset, end: QueueOffset): ReadonlySet<QueueOffset>
}

/** A record in the queue of a real topic. */
export interface QueuePlace {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
}

/** Progress of consumers and timers; readers are synchronous. */
export interface ProgressBook {
  readonly progress: {
    queue(group: string, topic: string, queueId: number): QueueProgressView
    /** Groups and topics with any progress. */
    pairs(): Iterable<{ readonly group: string; readonly topic: string }>
  }
  readonly delay: DelayView
  /** What groups have done with a scheduled record counts for the one that was put, at `to` (rule 5.6). Returns these groups. */
  moveServed(scheduled: QueueOffset, to: QueuePlace): readonly string[]
  /** It is in the journal when this returns (rule 5.1). */
  commit(change: ProgressChange): void
}
