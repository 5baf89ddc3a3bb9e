import { invariant, type LogOffset } from '@tandemmq/base'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/**
 * A scheduled message in Apache's timer log (RocketMQ TimerLog): a list per wheel slot, from new to old.
 *
 *      0 size i32 (52)        4 previous i64      12 magic i32       16 writeTime i64
 *     24 delay i32           28 offset i64        36 size i32        40 topicHash i32    44 reserved i64 (0)
 */
export interface TimerLogUnit {
  /** Timer log position of the next older unit of the slot; −1 for none. */
  readonly previous: number
  /** Bits of {@link TimerMagic}. */
  readonly magic: number
  /** The enqueue clock, ms, a multiple of the precision. */
  readonly writeTime: number
  /** Slot time − write time, ms. */
  readonly delay: number
  readonly offset: LogOffset
  /** Bytes of the record. */
  readonly size: number
  /** Java hash of the real topic. */
  readonly topicHash: number
}

export const TimerMagic = { default: 1, roll: 2, delete: 4 } as const

export const TIMER_LOG_UNIT_BYTES = 52
/** Bytes of the mark behind the last unit of a file. */
export const TIMER_LOG_BLANK_BYTES = 16

const MAGIC_BLANK = 0xcbd43194 | 0

export function encodeTimerLogUnit(target: Buffer, at: number, unit: TimerLogUnit): number {
  target.writeInt32BE(TIMER_LOG_UNIT_BYTES, at)
  writeInt64(target, at + 4, unit.previous)
  target.writeInt32BE(unit.magic, at + 12)
  writeInt64(target, at + 16, unit.writeTime)
  target.writeInt32BE(unit.delay, at + 24)
  writeInt64(target, at + 28, unit.offset)
  target.writeInt32BE(unit.size, at + 36)
  target.writeInt32BE(unit.topicHash, at + 40)
  writeInt64(target, at + 44, 0)
  return TIMER_LOG_UNIT_BYTES
}

/** `undefined`: no whole unit here (nothing written, a blank, or damage). */
export function decodeTimerLogUnit(source: Buffer, at: number): TimerLogUnit | undefined {
  if (at + TIMER_LOG_UNIT_BYTES > source.length || source.readInt32BE(at) !== TIMER_LOG_UNIT_BYTES)
    return undefined
  const unit: TimerLogUnit = {
    previous: readInt64(source, at + 4),
    magic: source.readInt32BE(at + 12),
    writeTime: readInt64(source, at + 16),
    delay: source.readInt32BE(at + 24),
    offset: readInt64(source, at + 28),
    size: source.readInt32BE(at + 36),
    topicHash: source.readInt32BE(at + 40),
  }
  return unit.magic !== MAGIC_BLANK && unit.size > 0 && isOffset(unit.offset) ? unit : undefined
}

/** Marks the last `remaining` (≥ 16) bytes of a file as unused. */
export function encodeTimerLogBlank(target: Buffer, at: number, remaining: number): number {
  invariant(remaining >= TIMER_LOG_BLANK_BYTES, 'a timer log file keeps room for its blank')
  target.writeInt32BE(remaining, at)
  writeInt64(target, at + 4, 0)
  target.writeInt32BE(MAGIC_BLANK, at + 12)
  return TIMER_LOG_BLANK_BYTES
}

/** Bytes that a blank at `at` claims, itself included; `undefined` if there is none. */
export function decodeTimerLogBlank(source: Buffer, at: number): number | undefined {
  if (at + TIMER_LOG_BLANK_BYTES > source.length || source.readInt32BE(at + 12) !== MAGIC_BLANK)
    return undefined
  const remaining = source.readInt32BE(at)
  return remaining >= TIMER_LOG_BLANK_BYTES ? remaining : undefined
}
