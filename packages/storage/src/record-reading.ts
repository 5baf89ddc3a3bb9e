import { crc32 } from 'node:zlib'
import { BrokerError, type LogOffset } from '@tandemmq/base'
import { checkPropertyCrc, decodeRecord, scanFrame, type LogRecord, type ScanLimits } from '@tandemmq/codec'
import type { CommitLog } from './commit-log.ts'

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

function sizeAt(log: CommitLog, limits: ScanLimits, offset: LogOffset): number {
  if (log.written.at - offset < 8) throw noRecord(offset)
  const scan = scanFrame(log.readExactly(offset, 8), 0, limits)
  if (scan.kind !== 'incomplete') throw noRecord(offset)
  return scan.needed
}

function noRecord(offset: LogOffset): BrokerError {
  return new BrokerError('LOG_CORRUPT', `there is no sound record at ${offset}`, { facts: { offset } })
}
