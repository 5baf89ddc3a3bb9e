import {
  BATCH_UNIT_BYTES,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  TIMER_LOG_UNIT_BYTES,
  TIMER_WHEEL_SLOT_BYTES,
  UNIT_BYTES,
  decodeBatchUnit,
  decodeCheckpoint,
  decodeExtUnit,
  decodeIndexEntry,
  decodeIndexHeader,
  decodeTimerCheckPoint,
  decodeTimerLogBlank,
  decodeTimerLogUnit,
  decodeTimerWheelSlot,
  decodeUnit,
  encodeBatchUnit,
  encodeCheckpoint,
  encodeExtUnit,
  encodeIndexEntry,
  encodeTimerCheckPoint,
  encodeTimerLogUnit,
  encodeTimerWheelSlot,
  encodeUnit,
  extOffsetOf,
  isExtEnd,
  isFillerUnit,
} from '@tandemmq/codec'
import { claim } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** A file of units of one length: consume queue, batch queue, extension, index entry, timer log, timer wheel, check points. */
export const fixedUnits: Target = {
  name: 'fixed-units',
  holds:
    'no unit, or one that encodes to the bytes it came from; check points are refused only with STATE_FILE_CORRUPT',
  run(input) {
    let units = 0
    for (let at = 0; at < Math.min(input.length, PLACES_MAX); at += 1) if (readAll(input, at)) units += 1
    const checkpoint = attempt(['STATE_FILE_CORRUPT'], () => decodeCheckpoint(input))
    if ('value' in checkpoint) {
      comesBack(
        input,
        0,
        48,
        encodeCheckpoint(checkpoint.value).subarray(0, 48),
        Object.values(checkpoint.value),
      )
    }
    const timers = attempt(['STATE_FILE_CORRUPT'], () => decodeTimerCheckPoint(input))
    if ('value' in timers) {
      const again = Buffer.alloc(56)
      encodeTimerCheckPoint(again, 0, timers.value)
      comesBack(input, 0, 56, again, Object.values(timers.value))
    }
    return units > 0 ? 'taken' : 'refused'
  },
}

/** A unit knows nothing of its neighbours: more places say nothing more. */
const PLACES_MAX = 128

/** Whether a unit of any kind lies at `at`. */
function readAll(input: Buffer, at: number): boolean {
  const left = input.length - at
  const found = [
    left >= UNIT_BYTES && queueUnit(input, at),
    left >= BATCH_UNIT_BYTES && batchUnit(input, at),
    extUnit(input, at),
    timerLogUnit(input, at),
  ]
  if (left >= INDEX_ENTRY_BYTES) indexEntry(input, at)
  if (left >= TIMER_WHEEL_SLOT_BYTES) wheelSlot(input, at)
  if (left >= INDEX_HEADER_BYTES)
    claim(decodeIndexHeader(input, at).indexCount >= 1, 'an index counts from 1')
  return found.includes(true)
}

function queueUnit(input: Buffer, at: number): boolean {
  const unit = decodeUnit(input, at)
  if (unit === undefined) return false
  const again = Buffer.alloc(UNIT_BYTES)
  encodeUnit(again, 0, unit)
  comesBack(input, at, UNIT_BYTES, again, [])
  claim(unit.size > 0 && Number.isSafeInteger(unit.offset) && unit.offset >= 0, 'a unit points into a log')
  isFillerUnit(unit)
  const ext = extOffsetOf(unit.tagsCode)
  claim(ext === undefined || ext >= 0, `an extension at ${ext}`)
  return true
}

function batchUnit(input: Buffer, at: number): boolean {
  const unit = decodeBatchUnit(input, at)
  if (unit === undefined) return false
  const again = Buffer.alloc(BATCH_UNIT_BYTES)
  encodeBatchUnit(again, 0, unit)
  // The last four bytes are reserved: Apache writes 0, nobody reads them.
  comesBack(input, at, BATCH_UNIT_BYTES - 4, again, [unit.storeTimestamp])
  return true
}

function extUnit(input: Buffer, at: number): boolean {
  isExtEnd(input, at)
  const unit = decodeExtUnit(input, at)
  if (unit === undefined) return false
  const again = Buffer.alloc(20 + unit.bitmap.length)
  comesBack(input, at, encodeExtUnit(again, 0, unit), again, [unit.storeTimestamp])
  return true
}

function timerLogUnit(input: Buffer, at: number): boolean {
  const blank = decodeTimerLogBlank(input, at)
  claim(blank === undefined || blank > 0, 'a blank leads onwards')
  const unit = decodeTimerLogUnit(input, at)
  if (unit === undefined) return false
  claim(blank === undefined || blank !== TIMER_LOG_UNIT_BYTES, 'nothing is both unit and blank')
  const again = Buffer.alloc(TIMER_LOG_UNIT_BYTES)
  encodeTimerLogUnit(again, 0, unit)
  comesBack(input, at, TIMER_LOG_UNIT_BYTES - 8, again, [unit.previous, unit.writeTime])
  return true
}

function indexEntry(input: Buffer, at: number): void {
  const entry = decodeIndexEntry(input, at)
  const again = Buffer.alloc(INDEX_ENTRY_BYTES)
  encodeIndexEntry(again, 0, entry)
  comesBack(input, at, INDEX_ENTRY_BYTES, again, [entry.offset])
}

function wheelSlot(input: Buffer, at: number): void {
  const slot = decodeTimerWheelSlot(input, at)
  const again = Buffer.alloc(TIMER_WHEEL_SLOT_BYTES)
  encodeTimerWheelSlot(again, 0, slot)
  comesBack(input, at, TIMER_WHEEL_SLOT_BYTES, again, [slot.time, slot.firstPos, slot.lastPos])
}

/** Unless one of `numbers` had to be cut to 2^53. */
function comesBack(
  input: Buffer,
  at: number,
  bytes: number,
  again: Buffer,
  numbers: readonly number[],
): void {
  if (numbers.some((number) => Math.abs(number) === Number.MAX_SAFE_INTEGER)) return
  const isSame = again.subarray(0, bytes).equals(input.subarray(at, at + bytes))
  claim(isSame, `${bytes} bytes at ${at} come back as ${again.toString('hex')}`)
}
