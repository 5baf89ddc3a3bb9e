import { invariant, type LogOffset, type QueueOffset } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/**
 * A pointer to a record that holds several messages (RocketMQ BatchConsumeQueue):
 *
 *      0 offset i64        8 size i32         12 tagsCode i64      20 storeTimestamp i64
 *     28 baseOffset i64   36 batchSize i16    38 compactedOffset i32 (−1)    42 reserved i32 (0)
 */
export interface BatchUnit {
  readonly offset: LogOffset
  /** Bytes of the record, > 0. */
  readonly size: number
  readonly tagsCode: bigint
  /** ms. */
  readonly storeTimestamp: number
  /** Queue offset of the record's first message. */
  readonly baseOffset: QueueOffset
  /** Messages in the record, 1 … 32767. */
  readonly batchSize: number
  /** −1: not compacted. */
  readonly compactedOffset: number
}

export const BATCH_UNIT_BYTES = 46

export function encodeBatchUnit(target: Buffer, at: number, unit: BatchUnit): number {
  invariant(unit.size > 0 && unit.batchSize > 0, 'a unit points at a record that has messages')
  writeInt64(target, at, unit.offset)
  target.writeInt32BE(unit.size, at + 8)
  target.writeBigInt64BE(unit.tagsCode, at + 12)
  writeInt64(target, at + 20, unit.storeTimestamp)
  writeInt64(target, at + 28, unit.baseOffset)
  target.writeInt16BE(unit.batchSize, at + 36)
  target.writeInt32BE(unit.compactedOffset, at + 38)
  target.writeInt32BE(0, at + 42)
  return BATCH_UNIT_BYTES
}

/** `undefined`: no unit was ever written here, or not a possible one. `at + 46` must lie within `source`. */
export function decodeBatchUnit(source: Buffer, at: number): BatchUnit | undefined {
  const unit: BatchUnit = {
    offset: readInt64(source, at),
    size: source.readInt32BE(at + 8),
    tagsCode: source.readBigInt64BE(at + 12),
    storeTimestamp: readInt64(source, at + 20),
    baseOffset: readInt64(source, at + 28),
    batchSize: source.readInt16BE(at + 36),
    compactedOffset: source.readInt32BE(at + 38),
  }
  const possible = unit.size > 0 && unit.batchSize > 0 && isOffset(unit.offset) && isOffset(unit.baseOffset)
  return possible ? unit : undefined
}
