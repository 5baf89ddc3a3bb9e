import type { Files } from '@tandemmq/base'
import {
  TIMER_WHEEL_BYTES,
  TIMER_WHEEL_SLOTS,
  TIMER_WHEEL_SLOT_BYTES,
  TimerMagic,
  decodeTimerWheelSlot,
  type TimerWheelSlot,
} from '@tandemmq/codec'
import { checkTimerLog } from './check-timer-log.ts'
import { note, problem, type Finding } from './finding.ts'
import { StoredFile } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'
import { StoredTimerLog } from './stored-timer-log.ts'

const WHEEL = 'timerwheel'
/** Slots read at a time. */
const BLOCK_BYTES = 256 * TIMER_WHEEL_SLOT_BYTES

/** Apache's timer wheel must lead into its timer log, and that into the commit log. We keep neither. */
export function* checkTimer(files: Files, root: string, log: StoredLog): Generator<Finding> {
  using timerLog = new StoredTimerLog(files, root)
  yield* checkTimerLog(timerLog, log)
  if (!files.exists(`${root}/${WHEEL}`)) {
    if (timerLog.end > timerLog.first) yield problem(WHEEL, 0, 'the file is missing; there is a timer log')
    return
  }
  using file = new StoredFile(files, `${root}/${WHEEL}`)
  if (file.bytes !== TIMER_WHEEL_BYTES) {
    yield problem(WHEEL, file.bytes, `the wheel has ${file.bytes} bytes instead of ${TIMER_WHEEL_BYTES}`)
  }
  // A wheel that is behind its log is brought up by Apache's start.
  const told = log.isOpen ? note : problem
  let precisionMs: number | undefined
  for (let from = 0; from < file.bytes; from += BLOCK_BYTES) {
    const block = file.read(from, Math.min(BLOCK_BYTES, file.bytes - from))
    if (block.equals(unusedBlock)) continue
    for (let at = 0; at + TIMER_WHEEL_SLOT_BYTES <= block.length; at += TIMER_WHEEL_SLOT_BYTES) {
      if (block.subarray(at, at + TIMER_WHEEL_SLOT_BYTES).equals(unusedSlot)) continue
      const slot = decodeTimerWheelSlot(block, at)
      const number = (from + at) / TIMER_WHEEL_SLOT_BYTES
      const due = timerLog.unitAt(slot.lastPos)
      if (due !== undefined) precisionMs ??= Math.round((due.writeTime + due.delay) / slot.time)
      const what = wrongWithSlot(slot, number, timerLog, precisionMs)
      if (what !== undefined) yield told(WHEEL, from + at, `slot ${number} ${what}`)
    }
  }
}

const unusedSlot = Buffer.alloc(TIMER_WHEEL_SLOT_BYTES)
const unusedBlock = Buffer.alloc(BLOCK_BYTES)

function wrongWithSlot(
  slot: TimerWheelSlot,
  number: number,
  timerLog: StoredTimerLog,
  precisionMs: number | undefined,
): string | undefined {
  const { time, firstPos, lastPos, num } = slot
  const { first, end } = timerLog
  if (time % TIMER_WHEEL_SLOTS !== number) return `is not that of its time, ${time}`
  if (firstPos > lastPos) return `begins at timer log position ${firstPos} and ends before, at ${lastPos}`
  if (lastPos >= end) return `ends at timer log position ${lastPos}; the timer log ends at ${end}`
  let messages = 0
  let at = lastPos
  for (; at >= first;) {
    const unit = timerLog.unitAt(at)
    if (unit === undefined) return `leads to timer log position ${at}, where no unit begins`
    const due = unit.writeTime + unit.delay
    if (precisionMs !== undefined && due !== time * precisionMs)
      return `is that of ${time * precisionMs}, its unit at ${at} is due at ${due}`
    messages += (unit.magic & TimerMagic.delete) === 0 ? 1 : -1
    if (at === firstPos || unit.previous >= at) break
    at = unit.previous
  }
  if (at < first) return firstPos < first ? undefined : `does not lead to its first unit, at ${firstPos}`
  if (at !== firstPos) return `does not lead to its first unit, at ${firstPos}`
  return messages === num ? undefined : `says ${num} messages, its list has ${messages}`
}
