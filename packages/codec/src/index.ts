// Disk formats of Apache RocketMQ
export type { LogRecord, RecordFields, RecordVersion } from './log-record.ts'
export type { Host } from './host.ts'
export { ipBytes, isIpv6, readIp, unmappedIp, writeIp } from './host.ts'
export { lastEpoch, type Epoch, type Lineage, type RecordStamp } from './lineage.ts'
export { isOffset, readInt64, writeInt64 } from './int64.ts'
export { dataViewOf } from './data-view.ts'
export { crc32m } from './crc32m.ts'
export { javaHash, tagsCodeOf } from './java-hash.ts'
export {
  SysFlag,
  compressionOf,
  transactionTypeOf,
  withTransactionType,
  type Compression,
  type TransactionType,
} from './sys-flag.ts'
export {
  encodeRecord,
  recordSize,
  recordVersionFor,
  storedSysFlag,
  type EncodeRecordOptions,
} from './encode-record.ts'
export {
  bodyCrcMatches,
  decodeRecord,
  readStoreTimestamp,
  type DecodeRecordOptions,
} from './decode-record.ts'
export { DispatchFieldsReader, type DispatchFields } from './dispatch-fields.ts'
export { frameFields, type DescribedFrame } from './frame-fields.ts'
export { scanFrame, scanFrameIn, type FrameFault, type FrameScan, type ScanLimits } from './frame-scan.ts'
export {
  FRAME_HEAD_BYTES,
  MAGIC_BLANK,
  MAGIC_V1,
  MAGIC_V2,
  PROPERTIES_BYTES_MAX,
  RECORD_BYTES_MIN,
} from './record-layout.ts'
export { BLANK_BYTES, encodeBlank } from './blank.ts'
export { PROPERTY_CRC_BYTES, checkPropertyCrc, endsLikeCrc, propertiesBeforeCrc } from './property-crc.ts'
export { decodeProperties, encodeProperties, propertyOf } from './properties.ts'
export { decodeOffsetMessageId, encodeOffsetMessageId, type OffsetMessageId } from './message-id.ts'
export {
  UNIT_BYTES,
  decodeUnit,
  encodeUnit,
  fillerUnit,
  isFillerUnit,
  writeUnit,
  type ConsumeQueueUnit,
} from './consume-queue-unit.ts'
export {
  CHECKPOINT_BYTES,
  checkpointIndexTimestamp,
  checkpointTimestamp,
  decodeCheckpoint,
  encodeCheckpoint,
  type Checkpoint,
} from './checkpoint.ts'
export { decodeEpochFile, encodeEpochFile, type EpochEntry } from './epoch-file.ts'
export {
  INDEX_HEADER_BYTES,
  decodeIndexHeader,
  encodeIndexHeader,
  freshIndexHeader,
  succeedingIndexHeader,
  type IndexHeader,
} from './index-header.ts'
export {
  INDEX_ENTRY_BYTES,
  decodeIndexEntry,
  encodeIndexEntry,
  readIndexEntry,
  writeIndexEntry,
  type IndexEntry,
} from './index-entry.ts'
export { indexKeyHash, indexKeysOf } from './index-key.ts'
export {
  indexEntryAt,
  indexFileBytes,
  indexSlotAt,
  indexSlotOf,
  indexSource,
  indexTimeDiff,
  putIndexKey,
  queryIndex,
  type IndexGeometry,
  type IndexKey,
  type IndexPut,
  type IndexQuery,
  type IndexSource,
} from './index-file.ts'
export {
  EXT_UNIT_BYTES_MAX,
  decodeExtUnit,
  encodeExtEnd,
  encodeExtUnit,
  extAddressOf,
  extOffsetOf,
  extUnitBytes,
  isExtEnd,
  type ExtUnit,
} from './consume-queue-ext-unit.ts'
export {
  BATCH_UNIT_BYTES,
  decodeBatchUnit,
  encodeBatchUnit,
  type BatchUnit,
} from './batch-consume-queue-unit.ts'
export {
  BATCH_ELEMENT_BYTES_MIN,
  decodeMessageBatch,
  encodeMessageBatch,
  type BatchElement,
} from './message-batch.ts'
export {
  INNER_BASE,
  INNER_BATCH_FLAGS,
  INNER_NUM,
  decodeInnerBatch,
  innerBatchProperties,
  type InnerMessage,
} from './inner-batch.ts'
export {
  TIMER_LOG_BLANK_BYTES,
  TIMER_LOG_UNIT_BYTES,
  TimerMagic,
  decodeTimerLogBlank,
  decodeTimerLogUnit,
  encodeTimerLogBlank,
  encodeTimerLogUnit,
  type TimerLogUnit,
} from './timer-log-unit.ts'
export {
  TIMER_WHEEL_BYTES,
  TIMER_WHEEL_SLOTS,
  TIMER_WHEEL_SLOT_BYTES,
  decodeTimerWheelSlot,
  encodeTimerWheelSlot,
  timerWheelSlotAt,
  type TimerWheelSlot,
} from './timer-wheel-slot.ts'
export { decodeTimerCheckPoint, encodeTimerCheckPoint, type TimerCheckPoint } from './timer-check-point.ts'
// Progress: receipt handles, journal, ranges; Apache's config JSON
export {
  encodeReceiptHandle,
  openReceiptHandle,
  routeOfReceiptHandle,
  type ReceiptHandle,
  type ReceiptRoute,
} from './receipt-handle.ts'
export { FieldReader, FieldWriter } from './tagged-fields.ts'
export { RangeSet, type Range } from './range-set.ts'
export {
  JOURNAL_PAYLOAD_BYTES_MAX,
  JOURNAL_RECORD_OVERHEAD,
  encodeJournalRecord,
  findJournalRecord,
  scanJournalRecord,
  type JournalRecord,
  type JournalScan,
} from './journal-record.ts'
export { isJsonArray, isJsonObject, type JsonKey, type JsonObject, type JsonValue } from './apache-json.ts'
export { parseApacheJson } from './apache-json-reader.ts'
export { formatApacheJson, formatCompactJson } from './apache-json-writer.ts'
// High availability: Apache's stream, our handshake before it, our control frames in it
export {
  CONTROL_BYTES_MAX,
  FRAME_BODY_MAX,
  FRAME_HEADER_BYTES,
  REPORT_BYTES,
  decodeFrameHeader,
  encodeFrameHeader,
  encodeReport,
  type FrameHeader,
} from './ha-frame.ts'
export {
  HANDSHAKE_BYTES_MAX,
  HandshakeReader,
  encodeHandshake,
  startsHello,
  type HandshakeKind,
  type HandshakeMessage,
} from './ha-hello-words.ts'
export {
  HA_PROTOCOL_VERSION,
  MAC_BYTES,
  NONCE_BYTES,
  appendMac,
  decodeHello,
  encodeHello,
  type Hello,
  type ReceivedHello,
} from './ha-hello.ts'
export { LINEAGE_EPOCHS_MAX, decodeLineage, encodeLineage } from './ha-lineage-field.ts'
export type { ChecksummedRange, LogRange } from './ha-range-field.ts'
export type { Refusal } from './ha-refusal.ts'
export { decodeProof, encodeProof, type Proof } from './ha-proof.ts'
export { decodeAnswer, encodeAnswer, type Answer } from './ha-answer.ts'
export {
  decodeControl,
  encodeControl,
  encodeControlDown,
  encodeControlUp,
  type Control,
} from './ha-control.ts'
export { UpwardReader, type UpwardUnit } from './ha-upward-reader.ts'
export { DownwardReader, type DownwardUnit } from './ha-downward-reader.ts'
// State files of our own
export { CheckedFields, decodeChecked, encodeChecked } from './checked-json.ts'
