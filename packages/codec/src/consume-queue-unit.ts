import { invariant, type LogOffset } from '@tandemmq/base'
import { dataViewOf } from './data-view.ts'
import { isOffset, readInt64, setInt64 } from './int64.ts'

/**
 * A pointer from a queue position to a record (RocketMQ ConsumeQueue):
 *
 *     0               8        12              20
 *     | log offset i64 | size i32 | tagsCode i64 |
 */
export interface ConsumeQueueUnit {
  readonly offset: LogOffset
  /** Bytes of the record, > 0. */
  readonly size: number
  /** Hash of the tag; a due time in the delay-level topic; or the address of an extension unit. */
  readonly tagsCode: bigint
  /** Of a batch queue only: the record holds so many messages, which have their own tags; the tags code is not theirs. */
  readonly messages?: number
}

export const UNIT_BYTES = 20

/** Size that Apache gives to units of positions that a queue never had (it starts behind them). */
const FILLER_SIZE = 0x7fffffff

/** Fills the positions before a queue's first message where that is not 0. Its offset and size look valid: ask {@link isFillerUnit}. */
export const fillerUnit: ConsumeQueueUnit = { offset: 0, size: FILLER_SIZE, tagsCode: 0n }

export function isFillerUnit(unit: ConsumeQueueUnit): boolean {
  return unit.offset === 0 && unit.size === FILLER_SIZE && unit.tagsCode === 0n
}

export function encodeUnit(target: Buffer, at: number, unit: ConsumeQueueUnit): number {
  writeUnit(dataViewOf(target), at, unit)
  return UNIT_BYTES
}

/** As {@link encodeUnit}, where many are written to one place. */
export function writeUnit(target: DataView, at: number, unit: ConsumeQueueUnit): void {
  invariant(unit.size > 0, 'a unit points at a record that has bytes')
  setInt64(target, at, unit.offset)
  target.setInt32(at + 8, unit.size)
  target.setBigInt64(at + 12, unit.tagsCode)
}

/** `undefined`: no unit was ever written here, or not a possible one. `at + 20` must lie within `source`. */
export function decodeUnit(source: Buffer, at: number): ConsumeQueueUnit | undefined {
  const offset = readInt64(source, at)
  const size = source.readInt32BE(at + 8)
  if (size <= 0 || !isOffset(offset)) return undefined
  return { offset, size, tagsCode: source.readBigInt64BE(at + 12) }
}
