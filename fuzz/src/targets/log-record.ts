import {
  BLANK_BYTES,
  FRAME_HEAD_BYTES,
  INNER_BATCH_FLAGS,
  RECORD_BYTES_MIN,
  bodyCrcMatches,
  checkPropertyCrc,
  compressionOf,
  crc32m,
  decodeInnerBatch,
  decodeRecord,
  encodeRecord,
  readStoreTimestamp,
  recordSize,
  scanFrame,
  transactionTypeOf,
  type LogRecord,
} from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target, Verdict } from '../target.ts'

const LIMITS = { recordBytesMax: 64 * 1024, segmentBytes: 64 * 1024 }

/** A stretch of log, read from its first byte on as recovery reads it. */
export const logRecord: Target = {
  name: 'log-record',
  holds:
    'each frame is judged; sizes stay within what is there and within the limits; a record that decodes encodes to the same bytes; with its checksums made right as well',
  run(input) {
    const verdict = scan(input)
    scan(withBodyChecksums(input))
    return verdict
  },
}

function scan(input: Buffer): Verdict {
  let records = 0
  let at = 0
  while (at < input.length) {
    const frame = scanFrame(input, at, LIMITS)
    if (frame.kind === 'incomplete') {
      claim(frame.needed > input.length - at, 'more bytes are needed than there are')
      claim(frame.needed <= LIMITS.recordBytesMax, 'no more bytes are waited for than a record may have')
    }
    if (frame.kind === 'blank') {
      claim(frame.size >= BLANK_BYTES && frame.size <= LIMITS.segmentBytes, `a blank of ${frame.size} bytes`)
      at += frame.size
      continue
    }
    if (frame.kind !== 'message') {
      attempt(['LOG_CORRUPT'], () => decodeRecord(input, at, { checkBodyCrc: false }))
      return records > 0 ? 'taken' : 'refused'
    }
    claim(
      frame.size >= RECORD_BYTES_MIN && frame.size <= LIMITS.recordBytesMax,
      `a record of ${frame.size} bytes`,
    )
    claim(at + frame.size <= input.length, 'a record ends where there is nothing')
    if (readOne(input, at, frame.size)) records += 1
    at += frame.size
  }
  return records > 0 ? 'taken' : 'refused'
}

/** Whether the record at `at`, which scanned as one, can be read. */
function readOne(input: Buffer, at: number, size: number): boolean {
  claim(Number.isSafeInteger(readStoreTimestamp(input, at)), 'the store time is a number')
  const isCrcRight = bodyCrcMatches(input, at)
  checkPropertyCrc(input, at, size)
  const lenient = attempt(['LOG_CORRUPT'], () => decodeRecord(input, at, { checkBodyCrc: false }))
  const strict = attempt(['LOG_CORRUPT'], () => decodeRecord(input, at))
  claim(
    'value' in strict === ('value' in lenient && isCrcRight),
    'only the checksum of the body is the difference',
  )
  if (!('value' in lenient)) return false
  const record = lenient.value
  claim(record.size === size, 'a record is as long as its frame')
  claim(record.body.length + record.topic.length <= size, 'a record holds no more than its bytes')
  transactionTypeOf(record.sysFlag)
  compressionOf(record.sysFlag)
  if ((record.sysFlag & INNER_BATCH_FLAGS) === INNER_BATCH_FLAGS) {
    attempt(['LOG_CORRUPT'], () => decodeInnerBatch(record))
  }
  if (isCrcRight && isCanonical(record)) encodesAgain(record, input.subarray(at, at + size))
  return 'value' in strict
}

function encodesAgain(record: LogRecord, bytes: Buffer): void {
  claim(recordSize(record) === bytes.length, 'the size is foretold')
  const again = Buffer.alloc(bytes.length)
  encodeRecord(again, 0, record)
  claimSame(again.toString('hex'), bytes.toString('hex'), 'a record encodes to the bytes it came from')
}

/** Nothing was lost in decoding: text that was no UTF-8, times beyond 2^53. */
function isCanonical(record: LogRecord): boolean {
  const times = [record.bornTimestamp, record.storeTimestamp, record.preparedTransactionOffset]
  return (
    !`${record.topic}${record.properties}`.includes('\uFFFD') &&
    times.every((time) => Math.abs(time) < Number.MAX_SAFE_INTEGER)
  )
}

/** The same with the right checksum for each body, so that what lies behind that check is reached. */
function withBodyChecksums(input: Buffer): Buffer {
  const sealed = Buffer.from(input)
  for (let at = 0; at + FRAME_HEAD_BYTES <= sealed.length;) {
    const frame = scanFrame(sealed, at, LIMITS)
    if (frame.kind === 'message') {
      const lenient = attempt(['LOG_CORRUPT'], () => decodeRecord(sealed, at, { checkBodyCrc: false }))
      if ('value' in lenient) sealed.writeInt32BE(crc32m(lenient.value.body) | 0, at + BODY_CRC_AT)
    }
    if (frame.kind !== 'message' && frame.kind !== 'blank') break
    at += frame.size
  }
  return sealed
}

const BODY_CRC_AT = 8
