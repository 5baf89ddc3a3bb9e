import { describe, expect, it } from 'vitest'
import {
  TIMER_LOG_UNIT_BYTES,
  decodeTimerLogBlank,
  decodeTimerLogUnit,
  encodeTimerLogBlank,
  encodeTimerLogUnit,
} from './timer-log-unit.ts'

const unit = { previous: -1, magic: 5, writeTime: 1000, delay: -2000, offset: 4096, size: 125, topicHash: -7 }

describe('a timer log unit', () => {
  it('decodes to what was encoded, and not at all when cut off', () => {
    const bytes = Buffer.alloc(60)
    expect(encodeTimerLogUnit(bytes, 4, unit)).toBe(TIMER_LOG_UNIT_BYTES)
    expect(decodeTimerLogUnit(bytes, 4)).toEqual(unit)
    for (let length = 0; length < 56; length += 1) {
      expect(decodeTimerLogUnit(bytes.subarray(0, length), 4)).toBeUndefined()
      expect(decodeTimerLogBlank(bytes.subarray(0, length), 4)).toBeUndefined()
    }
  })

  it('is not a blank, even where a blank has the length of a unit', () => {
    const bytes = Buffer.alloc(TIMER_LOG_UNIT_BYTES)
    encodeTimerLogUnit(bytes, 0, unit) // What lies behind a blank may be anything.
    encodeTimerLogBlank(bytes, 0, TIMER_LOG_UNIT_BYTES)
    expect(decodeTimerLogUnit(bytes, 0)).toBeUndefined()
    expect(decodeTimerLogBlank(bytes, 0)).toBe(TIMER_LOG_UNIT_BYTES)
    encodeTimerLogUnit(bytes, 0, unit)
    expect(decodeTimerLogBlank(bytes, 0)).toBeUndefined()
  })

  it('is not there in zeros', () => {
    expect(decodeTimerLogUnit(Buffer.alloc(TIMER_LOG_UNIT_BYTES), 0)).toBeUndefined()
    expect(decodeTimerLogBlank(Buffer.alloc(TIMER_LOG_UNIT_BYTES), 0)).toBeUndefined()
  })
})
