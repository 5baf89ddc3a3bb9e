import type { QueueOffset } from '@tandemmq/base'
import type { Range, RecordStamp } from '@tandemmq/codec'
import type { Cursor } from './cursor.ts'
import type { Generation } from './generation.ts'
import type { GroupConfig } from './group-config.ts'
import type { TopicConfig } from './topic-config.ts'

/**
 * Everything that can happen to metadata. One function applies it, whether it is committed here, replayed from the
 * journal or received from another broker; applying it twice is the same as once.
 *
 * Optional fields are filled in by `commit`; whoever commits leaves them out.
 */
export type Change =
  | TopicPut
  | TopicDelete
  | GroupPut
  | GroupDelete
  | Lease
  | Ack
  | Visibility
  | Reset
  | Cut
  | Delay
  | DelayLevels
  | Moved
  | Diverged
  | Unsettled
  | ProgressState

export type ChangeKind = Change['kind']

export interface TopicPut {
  readonly kind: 'topic-put'
  readonly topic: TopicConfig
  readonly version?: Cursor
}

/** Also voids all progress on the topic. */
export interface TopicDelete {
  readonly kind: 'topic-delete'
  readonly name: string
  readonly version?: Cursor
  readonly generation?: Generation
}

export interface GroupPut {
  readonly kind: 'group-put'
  readonly group: GroupConfig
  readonly version?: Cursor
}

/** Also voids all progress of the group. */
export interface GroupDelete {
  readonly kind: 'group-delete'
  readonly name: string
  readonly version?: Cursor
  readonly generation?: Generation
}

/** Whose progress, on which queue. */
export interface QueueKey {
  readonly group: string
  readonly topic: string
  readonly queueId: number
}

/** One delivery of one message to one consumer. */
export interface Delivery {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  /** 1 = first; 0: announced and not made yet, a first time (rule 5.8). */
  readonly attempt: number
  /** Wall clock of the broker that delivered, ms. */
  readonly deliveredAt: number
  readonly invisibleMs: number
  /** How much of `invisibleMs` was left when this was sent or replayed (rule 5.9); absent: all of it. */
  readonly remainingMs?: number
}

export interface Lease extends QueueKey {
  readonly kind: 'lease'
  readonly servingEpoch: number
  readonly deliveries: readonly Delivery[]
  readonly generation?: Generation
}

/** Acknowledges `[from, queueOffset]`; `from` defaults to `queueOffset`. `stamp` is that of the record at `queueOffset`. */
export interface AckedRecord {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  readonly from?: QueueOffset
  /** The internal write that settles it (rule 5.5): it counts only where the log holds that record. */
  readonly after?: RecordStamp
}

export interface Ack extends QueueKey {
  readonly kind: 'ack'
  readonly records: readonly AckedRecord[]
  readonly generation?: Generation
}

/**
 * Changes how long a delivery stays invisible from now on; 0 = visible at once. `commit` may record a slightly later
 * `deliveredAt` (changes of one delivery are ordered by it; so it is with a lease that repeats an attempt): recognise a delivery by
 * serving epoch and attempt.
 */
export interface Visibility extends QueueKey {
  readonly kind: 'visibility'
  readonly servingEpoch: number
  readonly delivery: Delivery
  readonly generation?: Generation
}

/** Sets the first unacknowledged message, clears leases and attempts (rule 5.4). */
export interface Reset extends QueueKey {
  readonly kind: 'reset'
  readonly to: QueueOffset
  readonly generation: Generation
}

/** Forgets everything at or past the ends of these queues: an epoch was opened there (rule 5.2). */
export interface Cut {
  readonly kind: 'cut'
  readonly ends: readonly { readonly topic: string; readonly queueId: number; readonly end: QueueOffset }[]
  readonly generation: Generation
}

/** Scheduled records of the timer queue that were put into their real topics. */
export interface Delay {
  readonly kind: 'delay'
  readonly done: readonly AckedRecord[]
  readonly generation?: Generation
}

/**
 * What groups had done with the scheduled records `[from, to)` counts for the records that were put into the real topics, or for nothing any more
 * (rule 5.6). Each broker moves what it knows itself, so this is never handed on.
 */
export interface Moved {
  readonly kind: 'moved'
  readonly from: QueueOffset
  readonly to: QueueOffset
}

/**
 * Of one queue, everything at or past `end` is forgotten: it was about records that another epoch has taken from this broker's own log (rules 1.3, 5.2). Others never
 * had them or forget them by themselves, so this is never handed on, and what comes from them afterwards counts as before.
 */
export interface Diverged extends QueueKey {
  readonly kind: 'diverged'
  readonly end: QueueOffset
  /** The record before `end`, which the log still has. Absent: nothing is known of it. */
  readonly last?: Mark
}

/**
 * Of one queue, what only internal writes had settled that this log has lost (rule 5.5) is open again, as if it had never been offered. As with {@link Diverged},
 * others find that out by themselves.
 */
export interface Unsettled extends QueueKey {
  readonly kind: 'unsettled'
  readonly offsets: readonly Range[]
}

/** Apache's progress of delay levels 1…18: level, next queue offset. Merged by maximum. */
export interface DelayLevels {
  readonly kind: 'delay-levels'
  readonly levels: readonly (readonly [level: number, offset: QueueOffset])[]
}

/** Everything known about one queue's progress: an element of a snapshot, merged as rules 5.2 to 5.4 say. */
export interface ProgressState extends QueueKey {
  readonly kind: 'progress'
  readonly generation: Generation
  /** The lowest queue offset that resets and cuts up to `generation` have voided. */
  readonly voidFrom: QueueOffset
  readonly acked: readonly Range[]
  readonly marks: readonly Mark[]
  readonly leases: readonly LeaseState[]
  /** Absent: nothing here was settled by an internal write, or a version that did not keep it has said this. */
  readonly settling?: Settling
}

/** What of a queue's acknowledgements counts only with the internal writes that brought them about (rule 5.5). */
export interface Settling {
  readonly writes: readonly SettledBy[]
  /** Writes up to this one are not told apart any more: whoever lacks it cannot say which acknowledgements count. */
  readonly horizon?: RecordStamp
}

export interface SettledBy {
  /** Acknowledged. */
  readonly queueOffset: QueueOffset
  readonly write: RecordStamp
}

/** The highest acknowledged record of one log epoch: whoever's log holds it knows all acknowledged ones before it. */
export interface Mark {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
}

export interface LeaseState extends Delivery {
  readonly servingEpoch: number
  /** The highest attempt ever made, which may belong to another lease (rule 5.3). */
  readonly attempts: number
}
