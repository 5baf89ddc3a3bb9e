import { BrokerError } from '@tandemmq/base'
import { crc32m } from './crc32m.ts'
import { scanFrame, type ScanLimits } from './frame-scan.ts'
import { isPort, readIp, type Host } from './host.ts'
import { isOffset, readInt64 } from './int64.ts'
import type { LogRecord } from './log-record.ts'
import * as layout from './record-layout.ts'

export interface DecodeRecordOptions {
  /** Compare BODYCRC with the body. Default true. */
  readonly checkBodyCrc?: boolean
}

/** A record cannot be longer than the buffer it lies in, which is bound enough here. */
const anySize: ScanLimits = { recordBytesMax: 0x7fffffff, segmentBytes: 0x7fffffff }

/**
 * The record at `at`. Its body is a view of `source`, valid as long as that is not overwritten.
 * Timestamps beyond ±2^53 are cut to that. Throws `LOG_CORRUPT` if there is no whole, consistent record.
 */
export function decodeRecord(source: Buffer, at: number, options: DecodeRecordOptions = {}): LogRecord {
  const scan = scanFrame(source, at, anySize)
  if (scan.kind !== 'message') {
    throw corrupt(`no whole record here: ${scan.kind}${scan.kind === 'corrupt' ? `, ${scan.why}` : ''}`, at)
  }
  const version = source.readInt32BE(at + layout.MAGIC_AT) === layout.MAGIC_V1 ? 1 : 2
  const sysFlag = source.readInt32BE(at + layout.SYS_FLAG_AT)
  const queueOffset = readInt64(source, at + layout.QUEUE_OFFSET_AT)
  if (!isOffset(queueOffset)) throw corrupt('the queue offset is no position', at)

  const storeTimestampAt = at + layout.storeTimestampAt(sysFlag)
  const bodyAt = at + layout.bodyLengthAt(sysFlag) + 4
  const bodyEnd = bodyAt + source.readInt32BE(bodyAt - 4)
  const body = source.subarray(bodyAt, bodyEnd)
  const bodyCrc = source.readInt32BE(at + layout.BODY_CRC_AT)
  if (options.checkBodyCrc !== false && bodyCrc !== crc32m(body))
    throw corrupt('the body has another checksum', at)

  const topicAt = bodyEnd + layout.topicLengthBytes(version)
  const topicEnd = topicAt + (version === 1 ? source.readInt8(bodyEnd) : source.readInt16BE(bodyEnd))
  return {
    version,
    size: scan.size,
    bodyCrc,
    queueId: source.readInt32BE(at + layout.QUEUE_ID_AT),
    flag: source.readInt32BE(at + layout.FLAG_AT),
    queueOffset,
    physicalOffset: readInt64(source, at + layout.PHYSICAL_OFFSET_AT),
    sysFlag,
    bornTimestamp: readInt64(source, at + layout.BORN_TIMESTAMP_AT),
    bornHost: readHost(source, at + layout.BORN_HOST_AT, layout.bornHostBytes(sysFlag), at),
    storeTimestamp: readInt64(source, storeTimestampAt),
    storeHost: readHost(source, storeTimestampAt + 8, layout.storeHostBytes(sysFlag), at),
    reconsumeTimes: source.readInt32BE(bodyAt - 16),
    preparedTransactionOffset: readInt64(source, bodyAt - 12),
    body,
    topic: source.toString('utf8', topicAt, topicEnd),
    properties: source.toString('utf8', topicEnd + 2, at + scan.size),
  }
}

/** Store time of the record at `at`, which must have scanned as a message: recovery needs nothing else of it. */
export function readStoreTimestamp(source: Buffer, at: number): number {
  return readInt64(source, at + layout.storeTimestampAt(source.readInt32BE(at + layout.SYS_FLAG_AT)))
}

/** Whether the body of the record at `at`, which must have scanned as a message, is what its checksum says. */
export function bodyCrcMatches(source: Buffer, at: number): boolean {
  const bodyAt = at + layout.bodyLengthAt(source.readInt32BE(at + layout.SYS_FLAG_AT)) + 4
  const body = source.subarray(bodyAt, bodyAt + source.readInt32BE(bodyAt - 4))
  return source.readInt32BE(at + layout.BODY_CRC_AT) === crc32m(body)
}

function readHost(source: Buffer, at: number, bytes: 8 | 20, record: number): Host {
  const address = bytes === 8 ? 4 : 16
  const port = source.readInt32BE(at + address)
  if (!isPort(port)) throw corrupt('a port is out of its range', record)
  return { ip: readIp(source, at, address), port }
}

function corrupt(why: string, at: number): BrokerError {
  return new BrokerError('LOG_CORRUPT', why, { facts: { at } })
}
