import { crc32 } from 'node:zlib'
import { BrokerError, type LogOffset, type QueueOffset } from '@tandemmq/base'
import {
  INNER_BATCH_FLAGS,
  SysFlag,
  checkPropertyCrc,
  decodeInnerBatch,
  decodeOffsetMessageId,
  decodeRecord,
  scanFrame,
  type LogRecord,
  type ScanLimits,
} from '@tandemmq/codec'
import { isQueued } from './arrival.ts'
import type { CommitLog } from './commit-log.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import type { Dispatcher } from './dispatcher.ts'

/** See `MessageStore.record`. `hasPropertyCrc`: this broker ends records with a checksum. */
export function readRecord(
  log: CommitLog,
  limits: ScanLimits,
  offset: LogOffset,
  size: number | undefined,
  hasPropertyCrc: boolean,
): LogRecord {
  const bytes = log.readExactly(offset, size ?? sizeAt(log, limits, offset))
  const record = decodeRecord(bytes, 0)
  if (hasPropertyCrc && checkPropertyCrc(bytes, 0, record.size) === 'wrong') throw noRecord(offset)
  if (record.physicalOffset !== offset || (size !== undefined && record.size !== size)) throw noRecord(offset)
  return record
}

/**
 * The record that an offset message id names, if the log has it: written by that host, and the one its queue leads to. Any offset can come from a client,
 * also one inside a body that looks like a record. Throws `ILLEGAL_ARGUMENT` for a text that is no such id.
 */
export function recordByMessageId(
  { log, queues, dispatcher }: SearchedParts,
  messageId: string,
  upTo: LogOffset,
  recordAt: (offset: LogOffset) => LogRecord,
): LogRecord | undefined {
  const { storeHost, offset } = decodeOffsetMessageId(messageId)
  const end = Math.min(upTo, dispatcher.dispatched.at)
  if (offset < log.minOffset || offset >= end) return undefined
  const record = recordOrNone(offset, recordAt)
  if (record === undefined || offset + record.size > end) return undefined
  if (record.storeHost.ip !== storeHost.ip || record.storeHost.port !== storeHost.port) return undefined
  if (!isQueued(record.sysFlag)) return record
  const unit = queues.reader(record.topic, record.queueId)?.unit(record.queueOffset)
  return unit?.offset === offset ? record : undefined
}

export interface SearchedParts {
  readonly log: CommitLog
  readonly queues: ConsumeQueues
  readonly dispatcher: Dispatcher
}

function recordOrNone(offset: LogOffset, recordAt: (offset: LogOffset) => LogRecord): LogRecord | undefined {
  try {
    return recordAt(offset)
  } catch (failure) {
    const isNone =
      failure instanceof BrokerError && ['LOG_CORRUPT', 'ILLEGAL_ARGUMENT'].includes(failure.code)
    if (isNone) return undefined
    throw failure
  }
}

/** CRC-32 of the bytes [from, to). Throws `ILLEGAL_ARGUMENT` outside of the log. */
export function checksumOf(log: CommitLog, from: LogOffset, to: LogOffset): number {
  let sum = 0
  for (let at = from; at < to;) {
    const piece = log.read(at, to - at)
    if (piece.length === 0) throw new BrokerError('ILLEGAL_ARGUMENT', `the log ends at ${at}, before ${to}`)
    sum = crc32(piece, sum)
    at += piece.length
  }
  return sum
}

/** The message of `queueOffset` in an inner batch; any other record is a message itself. */
export function messageIn(record: LogRecord, queueOffset: QueueOffset): LogRecord {
  if ((record.sysFlag & SysFlag.innerBatch) === 0) return record
  const message = decodeInnerBatch(record).find((each) => each.queueOffset === queueOffset)
  if (message === undefined) throw noRecord(record.physicalOffset)
  return { ...record, ...message, sysFlag: record.sysFlag & ~INNER_BATCH_FLAGS }
}

function sizeAt(log: CommitLog, limits: ScanLimits, offset: LogOffset): number {
  if (log.written.at - offset < 8) throw noRecord(offset)
  const scan = scanFrame(log.readExactly(offset, 8), 0, limits)
  if (scan.kind !== 'incomplete') throw noRecord(offset)
  return scan.needed
}

function noRecord(offset: LogOffset): BrokerError {
  return new BrokerError('LOG_CORRUPT', `there is no sound record at ${offset}`, { facts: { offset } })
}
