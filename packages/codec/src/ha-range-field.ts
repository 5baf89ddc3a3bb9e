import { BrokerError } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/** Log bytes from `from` (inclusive) to `to` (exclusive). */
export interface LogRange {
  readonly from: LogOffset
  readonly to: LogOffset
}

/** A range with the CRC-32 of its bytes. */
export interface ChecksummedRange extends LogRange {
  /** Unsigned. */
  readonly crc: number
}

const RANGE_BYTES = 16

/** `from` i64, `to` i64. */
export function encodeRange(range: LogRange): Buffer {
  const target = Buffer.allocUnsafe(RANGE_BYTES)
  writeInt64(target, 0, range.from)
  writeInt64(target, 8, range.to)
  return target
}

/** Throws `PROTOCOL_VIOLATION` unless the range is one and not empty. */
export function decodeRange(source: Buffer): LogRange {
  if (source.length !== RANGE_BYTES) throw violation(`a range of ${source.length} bytes`)
  const from = readInt64(source, 0)
  const to = readInt64(source, 8)
  if (!isOffset(from) || !isOffset(to) || from >= to) throw violation(`a range from ${from} to ${to}`)
  return { from, to }
}

/** A range and its CRC as u32. */
export function encodeChecksummedRange(range: ChecksummedRange): Buffer {
  const crc = Buffer.allocUnsafe(4)
  crc.writeUInt32BE(range.crc, 0)
  return Buffer.concat([encodeRange(range), crc])
}

export function decodeChecksummedRange(source: Buffer): ChecksummedRange {
  if (source.length !== RANGE_BYTES + 4) throw violation(`a checksummed range of ${source.length} bytes`)
  return { ...decodeRange(source.subarray(0, RANGE_BYTES)), crc: source.readUInt32BE(RANGE_BYTES) }
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
