import { BrokerError, invariant } from '@tandemmq/base'
import { readInt64, writeInt64 } from './int64.ts'

/**
 * What a consume-queue unit has no room for (RocketMQ ConsumeQueueExt), kept in a file beside the queue:
 *
 *     0            2              10              18              20
 *     | size i16   | tagsCode i64 | storeTime i64 | bitmap n i16  | bitmap |      size = 20 + n
 *
 * The unit's own tags code is then the address of this.
 */
export interface ExtUnit {
  readonly tagsCode: bigint
  /** ms. */
  readonly storeTimestamp: number
  /** Which filters match the message; at most 32747 bytes. */
  readonly bitmap: Buffer
}

/** Bytes of a unit without bitmap. */
const EXT_UNIT_BYTES_MIN = 20
export const EXT_UNIT_BYTES_MAX = 32767

const END_MARK = -1
const ADDRESS_BASE = -(2n ** 63n)
/** Tags codes that are hashes fit 32 bits; everything below is an address. */
const ADDRESS_MAX = -(2n ** 31n) - 1n

export function extUnitBytes(unit: ExtUnit): number {
  return EXT_UNIT_BYTES_MIN + unit.bitmap.length
}

/** Returns the bytes written. Throws `ILLEGAL_ARGUMENT` if the bitmap is too long. */
export function encodeExtUnit(target: Buffer, at: number, unit: ExtUnit): number {
  const size = extUnitBytes(unit)
  if (size > EXT_UNIT_BYTES_MAX) {
    throw new BrokerError('ILLEGAL_ARGUMENT', 'a filter bitmap is too long', {
      facts: { bytes: unit.bitmap.length },
    })
  }
  invariant(at + size <= target.length, 'an extension unit must fit its target')
  target.writeInt16BE(size, at)
  target.writeBigInt64BE(unit.tagsCode, at + 2)
  writeInt64(target, at + 10, unit.storeTimestamp)
  target.writeInt16BE(unit.bitmap.length, at + 18)
  unit.bitmap.copy(target, at + EXT_UNIT_BYTES_MIN)
  return size
}

/** `undefined`: no whole unit here (nothing written, the end mark, or damage). The bitmap is a view of `source`. */
export function decodeExtUnit(source: Buffer, at: number): ExtUnit | undefined {
  if (at + EXT_UNIT_BYTES_MIN > source.length) return undefined
  const size = source.readInt16BE(at)
  const bitmapBytes = source.readInt16BE(at + 18)
  if (size < EXT_UNIT_BYTES_MIN || size !== EXT_UNIT_BYTES_MIN + bitmapBytes || at + size > source.length)
    return undefined
  return {
    tagsCode: source.readBigInt64BE(at + 2),
    storeTimestamp: readInt64(source, at + 10),
    bitmap: source.subarray(at + EXT_UNIT_BYTES_MIN, at + size),
  }
}

/** Marks that the file has no further units; no unit uses the last four bytes of a file, so that there always is room. */
export function encodeExtEnd(target: Buffer, at: number): void {
  target.writeInt16BE(END_MARK, at)
}

export function isExtEnd(source: Buffer, at: number): boolean {
  return at + 2 <= source.length && source.readInt16BE(at) === END_MARK
}

/** The tags code that stands for the extension unit at `extOffset`. */
export function extAddressOf(extOffset: number): bigint {
  return BigInt(extOffset) + ADDRESS_BASE
}

/** Where the extension unit lies, if the tags code is an address at all. */
export function extOffsetOf(tagsCode: bigint): number | undefined {
  return tagsCode > ADDRESS_MAX ? undefined : Number(tagsCode - ADDRESS_BASE)
}
