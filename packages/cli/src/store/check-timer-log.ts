import {
  TIMER_LOG_BLANK_BYTES,
  TIMER_LOG_UNIT_BYTES,
  TimerMagic,
  decodeTimerLogBlank,
  decodeTimerLogUnit,
  javaHash,
  propertyOf,
  type TimerLogUnit,
} from '@tandemmq/codec'
import { note, problem, type Finding } from './finding.ts'
import { nameOf } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'
import type { StoredTimerLog } from './stored-timer-log.ts'

const MAGIC_BITS = TimerMagic.default | TimerMagic.roll | TimerMagic.delete
const BLOCK_BYTES = 16_384 * TIMER_LOG_UNIT_BYTES

/** Every unit of the timer log must be whole, lead back to one that is due with it, and point at its record. */
export function* checkTimerLog(timerLog: StoredTimerLog, log: StoredLog): Generator<Finding> {
  const told = log.isOpen ? note : problem
  for (const [index, start] of timerLog.starts.entries()) {
    const path = `timerlog/${nameOf(start)}`
    const bytes = timerLog.bytesOf(start)
    const next = timerLog.starts[index + 1]
    if (next !== undefined && next !== start + bytes)
      yield problem(path, bytes, `the next file of the timer log is ${nameOf(next)}`)
    const at = yield* checkUnits(timerLog, start, log, told)
    timerLog.end = start + at
    const blank = decodeTimerLogBlank(
      timerLog.read(start, at, Math.min(TIMER_LOG_BLANK_BYTES, bytes - at)),
      0,
    )
    if (blank !== undefined) {
      if (blank !== bytes - at)
        yield problem(path, at, `a blank says ${blank} bytes, the file has ${bytes - at} left`)
      continue
    }
    if (isWritten(timerLog, start, at)) yield told(path, at, 'there is neither a unit nor a blank here')
    else if (next !== undefined)
      yield told(path, at, 'the file ends without a blank, and another one follows')
  }
}

/** Checks the units of a file; returns where they end in it. */
function* checkUnits(
  timerLog: StoredTimerLog,
  start: number,
  log: StoredLog,
  told: typeof problem,
): Generator<Finding, number> {
  const bytes = timerLog.bytesOf(start)
  for (let from = 0; from < bytes; from += BLOCK_BYTES) {
    const block = timerLog.read(start, from, Math.min(BLOCK_BYTES, bytes - from))
    for (let at = 0; at < block.length; at += TIMER_LOG_UNIT_BYTES) {
      const unit = decodeTimerLogUnit(block, at)
      if (unit === undefined) return from + at
      const position = start + from + at
      const what = wrongWith(unit, position, block.readBigInt64BE(at + 44), timerLog, log)
      if (what !== undefined)
        yield told(
          `timerlog/${nameOf(start)}`,
          from + at,
          `the unit at timer log position ${position} ${what}`,
        )
    }
  }
  return bytes
}

function isWritten(timerLog: StoredTimerLog, start: number, from: number): boolean {
  const bytes = timerLog.bytesOf(start)
  for (let at = from; at < bytes; at += BLOCK_BYTES) {
    if (timerLog.read(start, at, Math.min(BLOCK_BYTES, bytes - at)).some((byte) => byte !== 0)) return true
  }
  return false
}

function wrongWith(
  unit: TimerLogUnit,
  position: number,
  reserved: bigint,
  timerLog: StoredTimerLog,
  log: StoredLog,
): string | undefined {
  const { previous, magic, writeTime, delay, offset, size, topicHash } = unit
  if ((magic & TimerMagic.default) === 0 || (magic & ~MAGIC_BITS) !== 0)
    return `has the impossible magic ${magic}`
  if (reserved !== 0n) return 'has something in its reserved bytes'
  if (previous < -1 || previous >= position) return `leads back to ${previous}`
  if (previous >= timerLog.first) {
    const before = timerLog.unitAt(previous)
    if (before === undefined) return `leads back to ${previous}, where no unit begins`
    if (before.writeTime + before.delay !== writeTime + delay)
      return `is due at ${writeTime + delay}; the one before it, at ${previous}, at ${before.writeTime + before.delay}`
  }
  if (offset < log.first || (log.isOpen && offset + size > log.end)) return undefined
  const record = log.recordAt(offset)
  if (record === undefined) return `points at ${offset}, where no record begins`
  if (record.size !== size) return `says ${size} bytes, the record at ${offset} has ${record.size}`
  const isDelete = (magic & TimerMagic.delete) !== 0
  if (isDelete !== (propertyOf(record.properties, 'TIMER_DEL_UNIQKEY') !== undefined))
    return `has magic ${magic}; its record takes ${isDelete ? 'no' : 'a'} message back`
  const dueTime = Number(propertyOf(record.properties, 'TIMER_OUT_MS') ?? Number.NaN)
  // What is due beyond the wheel's window is put into it more than once.
  const isDue = (magic & TimerMagic.roll) === 0 ? dueTime === writeTime + delay : dueTime > writeTime + delay
  if (!Number.isNaN(dueTime) && !isDue)
    return `is due at ${writeTime + delay} with magic ${magic}, its record at ${dueTime}`
  const topic = propertyOf(record.properties, 'REAL_TOPIC') ?? record.topic
  return javaHash(topic) === topicHash
    ? undefined
    : `has another hash than that of ${topic}, the topic of its record`
}
