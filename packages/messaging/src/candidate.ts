import type { QueueOffset } from '@tandemmq/base'
import type { LogRecord, RecordStamp } from '@tandemmq/codec'

/** A message that may be handed out now. */
export interface Candidate {
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
  readonly record: LogRecord
  readonly properties: Map<string, string>
  /** Of the delivery it would be; 1 = first. */
  readonly attempt: number
  /** Already acknowledged; handed out again only because it follows an unacknowledged one of an orderly group. */
  readonly isAcked: boolean
}
