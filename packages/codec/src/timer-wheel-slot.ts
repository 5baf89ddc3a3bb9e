import { readInt64, writeInt64 } from './int64.ts'

/**
 * All messages due in one second, in Apache's timer wheel (RocketMQ Slot):
 *
 *     0 time i64 (÷ precision)   8 firstPos i64   16 lastPos i64   24 num i32   28 magic i32
 */
export interface TimerWheelSlot {
  /** Due time divided by the precision. A slot counts only for the round of the wheel it was written in. */
  readonly time: number
  /** Timer log position of the oldest unit. */
  readonly firstPos: number
  /** Timer log position of the newest unit. */
  readonly lastPos: number
  readonly num: number
  readonly magic: number
}

export const TIMER_WHEEL_SLOT_BYTES = 32
/** Two rounds of `timerWheelSlotsTotal` slots. */
export const TIMER_WHEEL_SLOTS = 2 * 604_800
export const TIMER_WHEEL_BYTES: number = TIMER_WHEEL_SLOTS * TIMER_WHEEL_SLOT_BYTES

/** Byte position of the slot for a due time, both in ms. */
export function timerWheelSlotAt(dueTime: number, precisionMs: number): number {
  return (Math.floor(dueTime / precisionMs) % TIMER_WHEEL_SLOTS) * TIMER_WHEEL_SLOT_BYTES
}

export function encodeTimerWheelSlot(target: Buffer, at: number, slot: TimerWheelSlot): number {
  writeInt64(target, at, slot.time)
  writeInt64(target, at + 8, slot.firstPos)
  writeInt64(target, at + 16, slot.lastPos)
  target.writeInt32BE(slot.num, at + 24)
  target.writeInt32BE(slot.magic, at + 28)
  return TIMER_WHEEL_SLOT_BYTES
}

export function decodeTimerWheelSlot(source: Buffer, at: number): TimerWheelSlot {
  return {
    time: readInt64(source, at),
    firstPos: readInt64(source, at + 8),
    lastPos: readInt64(source, at + 16),
    num: source.readInt32BE(at + 24),
    magic: source.readInt32BE(at + 28),
  }
}
