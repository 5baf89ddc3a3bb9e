import type { LogOffset, QueueOffset } from '@tandemmq/base'
import type { Host } from './host.ts'

/** 2 differs from 1 only in the width of the topic's length: two bytes instead of one. */
export type RecordVersion = 1 | 2

/** What the writer of a record decides. */
export interface RecordFields {
  readonly version: RecordVersion
  /** i32. */
  readonly queueId: number
  /** The user's own i32; opaque. */
  readonly flag: number
  readonly queueOffset: QueueOffset
  /** Where the record starts in the log. */
  readonly physicalOffset: LogOffset
  /** See {@link SysFlag}. The two host bits are ignored when encoding: the hosts themselves decide. */
  readonly sysFlag: number
  /** The producer's clock, ms. */
  readonly bornTimestamp: number
  readonly bornHost: Host
  /** The master's clock, ms. */
  readonly storeTimestamp: number
  readonly storeHost: Host
  readonly reconsumeTimes: number
  /** Log offset of the half message, for a record that commits one; else 0. */
  readonly preparedTransactionOffset: number
  /** As stored, that is possibly compressed. */
  readonly body: Buffer
  readonly topic: string
  /** Raw text, see `decodeProperties`. At most 32767 bytes. */
  readonly properties: string
}

/** A message as it lies in the commit log (RocketMQ CommitLog record). */
export interface LogRecord extends RecordFields {
  /** Bytes of the whole record. */
  readonly size: number
  /** `crc32m` of the body. */
  readonly bodyCrc: number
}
