import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { Mark, QueueKey } from './change.ts'

/**
 * Whether this broker's log holds a record (rule 5.2): `true` = these very bytes; `false` = its lineage says something else at
 * that place; `'later'` = the same lineage, not copied yet.
 */
export interface LogKnowledge {
  knowsStamp(stamp: RecordStamp): boolean | 'later'
  /**
   * Of what lies before queue offset `below` in this queue of whoever has a record of epoch `logEpoch` there, the part that this log has too. Absent: not known.
   */
  held?(topic: string, queueId: number, logEpoch: number, below: QueueOffset): HeldPart
}

/** The first records of a queue, as far as two logs have them in common. */
export interface HeldPart {
  /** One past the last of them. */
  readonly end: QueueOffset
  /** The last of them, unless there is none, or it has expired. */
  readonly last?: Mark
  /** Some of them are still to come, or to be found in the queue. */
  readonly mayGrow: boolean
}

/** For who knows nothing better. */
export const NOTHING_HELD: HeldPart = { end: 0, mayGrow: false }

/** What `log` holds of what lies before a mark in its queue. */
export function heldBefore(
  { queueOffset, stamp }: Mark,
  { topic, queueId }: QueueKey,
  log: LogKnowledge,
): HeldPart {
  return log.held?.(topic, queueId, stamp.logEpoch, queueOffset) ?? NOTHING_HELD
}
