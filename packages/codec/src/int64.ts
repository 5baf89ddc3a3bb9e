import { invariant } from '@tandemmq/base'

const WORD = 2 ** 32

/**
 * Reads a big-endian i64 as a number. Values beyond ±(2^53 − 1) become ±(2^53 − 1): a timestamp that a client made
 * up must not stop a log from being read, and {@link isOffset} refuses such a value where a position is meant.
 */
export function readInt64(source: Buffer, at: number): number {
  return limited(source.readInt32BE(at) * WORD + source.readUInt32BE(at + 4))
}

/** As {@link readInt64}, see `dataViewOf`. */
export function getInt64(source: DataView, at: number): number {
  return limited(source.getInt32(at) * WORD + source.getUint32(at + 4))
}

function limited(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value
}

/** Writes a safe integer as a big-endian i64, without a bigint. */
export function writeInt64(target: Buffer, at: number, value: number): void {
  invariant(Number.isSafeInteger(value), 'a 64-bit field takes a safe integer')
  target.writeInt32BE(Math.floor(value / WORD), at)
  target.writeUInt32BE(value >>> 0, at + 4)
}

/** As {@link writeInt64}, see `dataViewOf`. */
export function setInt64(target: DataView, at: number, value: number): void {
  invariant(Number.isSafeInteger(value), 'a 64-bit field takes a safe integer')
  target.setInt32(at, Math.floor(value / WORD))
  target.setUint32(at + 4, value >>> 0)
}

/** Whether a value of {@link readInt64} is a position: in [0, 2^53 − 1). */
export function isOffset(value: number): boolean {
  return value >= 0 && value < Number.MAX_SAFE_INTEGER
}

/** Whether `value` is an integer that fits an i32 field. */
export function isInt32(value: number): boolean {
  return (value | 0) === value
}
