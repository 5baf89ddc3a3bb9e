import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { Mark } from './change.ts'

/**
 * Whether this broker's log holds a record (rule 5.2): `true` = these very bytes; `false` = its lineage says something else at
 * that place; `'later'` = the same lineage, not copied yet.
 */
export interface LogKnowledge {
  knowsStamp(stamp: RecordStamp): boolean | 'later'
  /**
   * One past the last queue offset of this queue whose record this log holds in epoch `logEpoch` or an earlier one: of what was written
   * under that epoch, the part that this log has in common with whoever has more of it. `'later'`: some of these records are still to come, or to be found in the
   * queue. Absent: not known.
   */
  queueEnd?(topic: string, queueId: number, logEpoch: number): QueueOffset | 'later'
  /**
   * The last record of this queue, below queue offset `below`, that this log holds. Absent, or `undefined`: it holds none, it is not known, or `logEpoch` is none of its
   * own lineage, and then it may have less in common with a log of that epoch than it holds.
   */
  lastHeld?(topic: string, queueId: number, logEpoch: number, below: QueueOffset): Mark | undefined
}
