import { BrokerError, invariant } from '@tandemmq/base'
import { crc32m } from './crc32m.ts'
import { ipBytes, writeIp, type Host } from './host.ts'
import { isInt32, isOffset, writeInt64 } from './int64.ts'
import type { RecordFields, RecordVersion } from './log-record.ts'
import { PROPERTY_CRC_BYTES, propertiesBeforeCrc, writePropertyCrc } from './property-crc.ts'
import * as layout from './record-layout.ts'
import { SysFlag } from './sys-flag.ts'

export interface EncodeRecordOptions {
  /** Ends the properties with a checksum over the record (Apache: `enabledAppendPropCRC`). Default false. */
  readonly propertyCrc?: boolean
}

/** The version RocketMQ writes for a topic: 2 from 128 UTF-16 units on. */
export function recordVersionFor(topic: string): RecordVersion {
  return topic.length > 127 ? 2 : 1
}

/** SYSFLAG as it is stored: the host bits say what the hosts are. */
export function storedSysFlag(fields: Pick<RecordFields, 'sysFlag' | 'bornHost' | 'storeHost'>): number {
  return (
    (fields.sysFlag & ~(SysFlag.bornHostV6 | SysFlag.storeHostV6)) |
    (ipBytes(fields.bornHost.ip) === 16 ? SysFlag.bornHostV6 : 0) |
    (ipBytes(fields.storeHost.ip) === 16 ? SysFlag.storeHostV6 : 0)
  )
}

/**
 * Bytes that {@link encodeRecord} will write.
 * Throws `MESSAGE_ILLEGAL` if topic or properties do not fit their length fields.
 */
export function recordSize(fields: RecordFields, options: EncodeRecordOptions = {}): number {
  const tail = options.propertyCrc === true ? PROPERTY_CRC_BYTES : 0
  const properties = tail === 0 ? fields.properties : propertiesBeforeCrc(fields.properties)
  return (
    layout.bodyLengthAt(storedSysFlag(fields)) +
    (4 + fields.body.length) +
    (layout.topicLengthBytes(fields.version) +
      bytesOf(fields.topic, layout.topicBytesMax(fields.version), 'topic')) +
    (2 + bytesOf(properties, layout.PROPERTIES_BYTES_MAX - tail, 'properties') + tail)
  )
}

/**
 * Writes a record at `at`; returns its size. `target` must have room for {@link recordSize} bytes.
 *
 * The hot path of a master: one pass, straight into the caller's memory; text is encoded in place.
 * Throws `MESSAGE_ILLEGAL` for a field out of its range; `target` may then hold part of a record.
 */
export function encodeRecord(
  target: Buffer,
  at: number,
  fields: RecordFields,
  options: EncodeRecordOptions = {},
): number {
  const tail = options.propertyCrc === true ? PROPERTY_CRC_BYTES : 0
  const properties = tail === 0 ? fields.properties : propertiesBeforeCrc(fields.properties)
  const sysFlag = storedSysFlag(fields)
  checkNumbers(fields)

  target.writeInt32BE(fields.version === 1 ? layout.MAGIC_V1 : layout.MAGIC_V2, at + layout.MAGIC_AT)
  target.writeInt32BE(crc32m(fields.body), at + layout.BODY_CRC_AT)
  target.writeInt32BE(fields.queueId, at + layout.QUEUE_ID_AT)
  target.writeInt32BE(fields.flag, at + layout.FLAG_AT)
  writeInt64(target, at + layout.QUEUE_OFFSET_AT, fields.queueOffset)
  writeInt64(target, at + layout.PHYSICAL_OFFSET_AT, fields.physicalOffset)
  target.writeInt32BE(sysFlag, at + layout.SYS_FLAG_AT)
  writeInt64(target, at + layout.BORN_TIMESTAMP_AT, fields.bornTimestamp)

  let next = writeHost(target, at + layout.BORN_HOST_AT, fields.bornHost)
  writeInt64(target, next, fields.storeTimestamp)
  next = writeHost(target, next + 8, fields.storeHost)
  next = target.writeInt32BE(fields.reconsumeTimes, next)
  writeInt64(target, next, fields.preparedTransactionOffset)
  next = target.writeInt32BE(fields.body.length, next + 8)
  invariant(next + fields.body.length <= target.length, 'a record must fit its target')
  next += fields.body.copy(target, next)

  const topicAt = next + layout.topicLengthBytes(fields.version)
  const topicBytes = writeText(target, topicAt, fields.topic, layout.topicBytesMax(fields.version), 'topic')
  if (fields.version === 1) target.writeInt8(topicBytes, next)
  else target.writeInt16BE(topicBytes, next)

  next = topicAt + topicBytes
  const propertiesMax = layout.PROPERTIES_BYTES_MAX - tail
  const propertiesBytes = writeText(target, next + 2, properties, propertiesMax, 'properties') + tail
  target.writeInt16BE(propertiesBytes, next)

  const size = next + 2 + propertiesBytes - at
  invariant(at + size <= target.length, 'a record must fit its target')
  target.writeInt32BE(size, at + layout.TOTAL_SIZE_AT)
  if (tail > 0) writePropertyCrc(target, at, size)
  return size
}

function checkNumbers(fields: RecordFields): void {
  const right =
    isInt32(fields.queueId) &&
    isInt32(fields.flag) &&
    isInt32(fields.reconsumeTimes) &&
    isOffset(fields.queueOffset) &&
    isOffset(fields.physicalOffset) &&
    Number.isSafeInteger(fields.bornTimestamp) &&
    Number.isSafeInteger(fields.storeTimestamp) &&
    Number.isSafeInteger(fields.preparedTransactionOffset)
  if (!right) throw new BrokerError('MESSAGE_ILLEGAL', 'a number of the message is out of its range')
}

function writeHost(target: Buffer, at: number, host: Host): number {
  if (!(host.port >= 0 && host.port <= 65535)) {
    throw new BrokerError('MESSAGE_ILLEGAL', 'a port is out of its range', { facts: { port: host.port } })
  }
  return target.writeInt32BE(host.port, at + writeIp(target, at, host.ip))
}

function writeText(target: Buffer, at: number, text: string, max: number, what: string): number {
  invariant(at <= target.length, 'a record must fit its target')
  // No character takes more than three bytes per UTF-16 unit, so most texts need no counting beforehand.
  const worst = text.length * 3
  if (worst > max || worst > target.length - at) {
    invariant(bytesOf(text, max, what) <= target.length - at, 'a record must fit its target')
  }
  return target.write(text, at)
}

function bytesOf(text: string, max: number, what: string): number {
  const bytes = Buffer.byteLength(text)
  if (bytes > max) {
    throw new BrokerError('MESSAGE_ILLEGAL', `the ${what} are longer than a record can hold`, {
      facts: { rule: `${what}-size`, bytes, max },
    })
  }
  return bytes
}
