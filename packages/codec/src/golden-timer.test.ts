import { describe, expect, it } from 'vitest'
import { goldenStores } from './golden-store.test-data.ts'
import { decodeTimerCheckPoint, encodeTimerCheckPoint } from './timer-check-point.ts'
import {
  TIMER_LOG_UNIT_BYTES,
  decodeTimerLogBlank,
  decodeTimerLogUnit,
  encodeTimerLogBlank,
  encodeTimerLogUnit,
} from './timer-log-unit.ts'
import {
  TIMER_WHEEL_BYTES,
  TIMER_WHEEL_SLOT_BYTES,
  decodeTimerWheelSlot,
  encodeTimerWheelSlot,
  timerWheelSlotAt,
} from './timer-wheel-slot.ts'

describe.each(goldenStores)('the timer of $name', (store) => {
  it('has the log units Apache put there, and ours have the same bytes', () => {
    const ours = store.list('timerlog').flatMap((path) => {
      const start = Number(path.slice('timerlog/'.length))
      const bytes = store.read(path)
      const again = Buffer.alloc(bytes.length)
      const entries = []
      let at = 0
      for (; at < bytes.length; at += TIMER_LOG_UNIT_BYTES) {
        const unit = decodeTimerLogUnit(bytes, at)
        if (unit === undefined) break
        encodeTimerLogUnit(again, at, unit)
        entries.push({
          position: start + at,
          size: TIMER_LOG_UNIT_BYTES,
          prevPos: unit.previous,
          magic: unit.magic,
          writeTime: unit.writeTime,
          delayedTime: unit.delay,
          offset: unit.offset,
          sizeReal: unit.size,
          topicHash: unit.topicHash,
          reserved: 0,
        })
      }
      const blank = decodeTimerLogBlank(bytes, at)
      if (blank !== undefined) {
        expect(blank).toBe(bytes.length - at)
        encodeTimerLogBlank(again, at, blank)
      }
      expect(again.equals(bytes)).toBe(true)
      return entries
    })
    expect(ours).toEqual(store.expected['timerlog'])
  })

  it('has the wheel slots Apache put there, where their times say', () => {
    const bytes = store.read('timerwheel')
    expect(bytes.length).toBe(TIMER_WHEEL_BYTES)
    const again = Buffer.alloc(bytes.length)
    const slots = []
    for (let at = 0; at < bytes.length; at += TIMER_WHEEL_SLOT_BYTES) {
      if (bytes.readUInt32BE(at + 4) === 0) continue
      const slot = decodeTimerWheelSlot(bytes, at)
      expect(timerWheelSlotAt(slot.time * 1000 + 999, 1000)).toBe(at)
      encodeTimerWheelSlot(again, at, slot)
      const { time, ...rest } = slot
      slots.push({ slot: at / TIMER_WHEEL_SLOT_BYTES, rawTime: time, ...rest })
    }
    expect(slots).toEqual(store.expected['timerwheel'])
    expect(again.equals(bytes)).toBe(true)
  })

  it('has a check point that reads as Apache reads it, and ours has the same bytes', () => {
    const bytes = store.read('config/timercheck')
    const checkPoint = decodeTimerCheckPoint(bytes)
    expect({ ...checkPoint, fileSize: bytes.length }).toEqual(store.expected['timercheck'])
    const again = Buffer.alloc(bytes.length)
    encodeTimerCheckPoint(again, 0, checkPoint)
    expect(again.equals(bytes)).toBe(true)
  })
})
