import { BrokerError, type QueueOffset } from '@tandemmq/base'
import { readInt64, writeInt64 } from './int64.ts'

/** How far Apache's timer had come (RocketMQ TimerCheckpoint): seven i64; as the file `timercheck` padded to 4096 bytes. */
export interface TimerCheckPoint {
  /** Messages due before this time (ms) have been delivered. */
  readonly lastReadTimeMs: number
  readonly lastTimerLogFlushPos: number
  readonly lastTimerQueueOffset: QueueOffset
  readonly masterTimerQueueOffset: QueueOffset
  /** The next three are a data version. */
  readonly stateVersion: number
  readonly timestamp: number
  readonly counter: number
}

/** Bytes of the fields, which is also the form in which a slave fetches it. */
const TIMER_CHECK_POINT_BYTES = 56

/** Returns 56. */
export function encodeTimerCheckPoint(target: Buffer, at: number, checkPoint: TimerCheckPoint): number {
  writeInt64(target, at, checkPoint.lastReadTimeMs)
  writeInt64(target, at + 8, checkPoint.lastTimerLogFlushPos)
  writeInt64(target, at + 16, checkPoint.lastTimerQueueOffset)
  writeInt64(target, at + 24, checkPoint.masterTimerQueueOffset)
  writeInt64(target, at + 32, checkPoint.stateVersion)
  writeInt64(target, at + 40, checkPoint.timestamp)
  writeInt64(target, at + 48, checkPoint.counter)
  return TIMER_CHECK_POINT_BYTES
}

/** Throws `STATE_FILE_CORRUPT` if there are fewer bytes than fields. Bytes behind them are ignored. */
export function decodeTimerCheckPoint(source: Buffer): TimerCheckPoint {
  if (source.length < TIMER_CHECK_POINT_BYTES) {
    throw new BrokerError('STATE_FILE_CORRUPT', 'the timer check point is too short', {
      facts: { bytes: source.length },
    })
  }
  return {
    lastReadTimeMs: readInt64(source, 0),
    lastTimerLogFlushPos: readInt64(source, 8),
    lastTimerQueueOffset: readInt64(source, 16),
    masterTimerQueueOffset: readInt64(source, 24),
    stateVersion: readInt64(source, 32),
    timestamp: readInt64(source, 40),
    counter: readInt64(source, 48),
  }
}
