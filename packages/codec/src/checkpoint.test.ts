import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHECKPOINT_BYTES,
  checkpointIndexTimestamp,
  checkpointTimestamp,
  decodeCheckpoint,
  encodeCheckpoint,
  type Checkpoint,
} from './checkpoint.ts'
import { decodeTimerCheckPoint, encodeTimerCheckPoint } from './timer-check-point.ts'

const none: Checkpoint = {
  physicMsgTimestamp: 0,
  logicsMsgTimestamp: 0,
  indexMsgTimestamp: 0,
  masterFlushedOffset: 0,
  confirmPhyOffset: 0,
  logicsPhysicalOffset: 0,
}
const number = fc.maxSafeInteger()

describe('the checkpoint', () => {
  it('decodes to what was encoded', () => {
    const checkpoint = fc.record({
      physicMsgTimestamp: number,
      logicsMsgTimestamp: number,
      indexMsgTimestamp: number,
      masterFlushedOffset: number,
      confirmPhyOffset: number,
      logicsPhysicalOffset: number,
    })
    fc.assert(
      fc.property(checkpoint, (original) => {
        const bytes = encodeCheckpoint(original)
        expect(bytes).toHaveLength(CHECKPOINT_BYTES)
        expect(decodeCheckpoint(bytes)).toEqual(original)
      }),
    )
  })

  it('vouches for what is three seconds older than the slower part', () => {
    const checkpoint = {
      ...none,
      physicMsgTimestamp: 10_000,
      logicsMsgTimestamp: 9000,
      indexMsgTimestamp: 5000,
    }
    expect(checkpointTimestamp(checkpoint)).toBe(6000)
    expect(checkpointIndexTimestamp(checkpoint)).toBe(5000)
    expect(checkpointTimestamp({ ...checkpoint, logicsMsgTimestamp: 0 })).toBe(0)
  })

  it('is refused when too short for its fields', () => {
    for (const length of [0, 47]) {
      expect(() => decodeCheckpoint(Buffer.alloc(length))).toThrow(
        expect.objectContaining({ code: 'STATE_FILE_CORRUPT' }),
      )
    }
    expect(decodeCheckpoint(Buffer.alloc(48))).toEqual(none)
  })
})

describe('the timer check point', () => {
  it('decodes to what was encoded', () => {
    const checkPoint = fc.record({
      lastReadTimeMs: number,
      lastTimerLogFlushPos: number,
      lastTimerQueueOffset: number,
      masterTimerQueueOffset: number,
      stateVersion: number,
      timestamp: number,
      counter: number,
    })
    fc.assert(
      fc.property(checkPoint, (original) => {
        const bytes = Buffer.alloc(56)
        encodeTimerCheckPoint(bytes, 0, original)
        expect(decodeTimerCheckPoint(bytes)).toEqual(original)
      }),
    )
  })

  it('is refused when too short for its fields', () => {
    expect(() => decodeTimerCheckPoint(Buffer.alloc(55))).toThrow(
      expect.objectContaining({ code: 'STATE_FILE_CORRUPT' }),
    )
  })
})
