import { crc32 } from 'node:zlib'
import { BrokerError } from '@tandemmq/base'
import { isOffset, readInt64 } from './int64.ts'

/*
 * A record of the journal, big endian:
 *
 *     offset  size
 *          0     4  magic 0x544D514A ("TMQJ")
 *          4     1  version of this layout, 1
 *          5     1  tag: what the payload is
 *          6     2  0
 *          8     8  durable: how much of the file was certainly on disk when this was written
 *         16     4  payload length
 *         20     n  payload
 *     20 + n     4  CRC-32 of bytes [4, 20 + n)
 *
 * `durable` tells a torn tail from damage: nothing below the greatest `durable` of any sound record may be unreadable.
 */

const MAGIC = 0x544d514a
const VERSION = 1
const HEAD_BYTES = 20
const CRC_BYTES = 4

/** Bytes a record adds to its payload. */
export const JOURNAL_RECORD_OVERHEAD = HEAD_BYTES + CRC_BYTES
export const JOURNAL_PAYLOAD_BYTES_MAX = 16 * 1024 * 1024

export interface JournalRecord {
  /** 1…255. */
  readonly tag: number
  /** A position in the same file. */
  readonly durable: number
  readonly payload: Buffer
}

export type JournalScan =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly size: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'unsound'; readonly why: string }

export function encodeJournalRecord(record: JournalRecord): Buffer {
  const length = record.payload.length
  if (length > JOURNAL_PAYLOAD_BYTES_MAX) {
    throw new BrokerError('ILLEGAL_ARGUMENT', `a journal record of ${length} bytes is too long`)
  }
  const bytes = Buffer.alloc(HEAD_BYTES + length + CRC_BYTES)
  bytes.writeUInt32BE(MAGIC, 0)
  bytes[4] = VERSION
  bytes[5] = record.tag
  bytes.writeBigInt64BE(BigInt(record.durable), 8)
  bytes.writeUInt32BE(length, 16)
  record.payload.copy(bytes, HEAD_BYTES)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, HEAD_BYTES + length)), HEAD_BYTES + length)
  return bytes
}

/** What lies at `at`. The payload is a view of `source`. */
export function scanJournalRecord(source: Buffer, at: number): JournalScan {
  const left = source.length - at
  if (left <= 0) return { kind: 'end' }
  if (left < JOURNAL_RECORD_OVERHEAD) return { kind: 'unsound', why: `only ${left} bytes are left` }
  if (source.readUInt32BE(at) !== MAGIC) return { kind: 'unsound', why: 'no record begins here' }
  const length = source.readUInt32BE(at + 16)
  if (length > JOURNAL_PAYLOAD_BYTES_MAX || length > left - JOURNAL_RECORD_OVERHEAD) {
    return { kind: 'unsound', why: `the record claims a payload of ${length} bytes` }
  }
  const end = at + HEAD_BYTES + length
  if (source.readUInt32BE(end) !== crc32(source.subarray(at + 4, end))) {
    return { kind: 'unsound', why: 'the checksum does not match' }
  }
  // The checksum holds, so this was written by a program: one that knows more than we do.
  if (source[at + 4] !== VERSION) {
    throw new BrokerError(
      'STATE_FILE_CORRUPT',
      `a journal record is of version ${source[at + 4]}, known is ${VERSION}`,
    )
  }
  const durable = readInt64(source, at + 8)
  if (!isOffset(durable)) {
    throw new BrokerError('STATE_FILE_CORRUPT', `a journal record says that ${durable} bytes were on disk`)
  }
  const record = {
    tag: source.readUInt8(at + 5),
    durable,
    payload: source.subarray(at + HEAD_BYTES, end),
  }
  return { kind: 'record', record, size: length + JOURNAL_RECORD_OVERHEAD }
}

/** Where the next thing that looks like a record begins, from `from` on; -1 if nowhere. */
export function findJournalRecord(source: Buffer, from: number): number {
  return source.indexOf('TMQJ', from, 'latin1')
}
