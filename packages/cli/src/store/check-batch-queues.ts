import { BrokerError, type Files } from '@tandemmq/base'
import {
  BATCH_UNIT_BYTES,
  SysFlag,
  decodeBatchUnit,
  decodeInnerBatch,
  propertyOf,
  tagsCodeOf,
  type BatchUnit,
  type LogRecord,
} from '@tandemmq/codec'
import type { QueueSummary } from './check-queues.ts'
import { problem, type Finding } from './finding.ts'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

/** Every unit of every batch queue must say what its record says. */
export function* checkBatchQueues(
  files: Files,
  root: string,
  log: StoredLog,
  summary: QueueSummary,
): Generator<Finding> {
  for (const topic of files.list(`${root}/batchconsumequeue`)) {
    for (const name of files.list(`${root}/batchconsumequeue/${topic}`)) {
      if (!/^\d{1,10}$/.test(name)) continue
      summary.queues += 1
      yield* checkQueue(files, root, topic, Number(name), log, summary)
    }
  }
}

function* checkQueue(
  files: Files,
  root: string,
  topic: string,
  queueId: number,
  log: StoredLog,
  summary: QueueSummary,
): Generator<Finding> {
  const directory = `batchconsumequeue/${topic}/${queueId}`
  const starts = files.list(`${root}/${directory}`).map(positionOf)
  let next = 0
  for (const start of starts.filter((each) => each !== undefined).toSorted((a, b) => a - b)) {
    const path = `${directory}/${nameOf(start)}`
    using file = new StoredFile(files, `${root}/${path}`)
    for (let at = 0; at + BATCH_UNIT_BYTES <= file.bytes; at += BATCH_UNIT_BYTES) {
      const bytes = file.read(at, BATCH_UNIT_BYTES)
      const unit = decodeBatchUnit(bytes, 0)
      if (unit === undefined) {
        if (bytes.some((byte) => byte !== 0)) yield problem(path, at, 'there is no possible unit here')
        break
      }
      summary.units += 1
      const what = wrongWith(unit, next, topic, queueId, log)
      if (what !== undefined) yield problem(path, at, `the unit of queue offset ${unit.baseOffset} ${what}`)
      next = unit.baseOffset + unit.batchSize
    }
  }
}

function wrongWith(
  unit: BatchUnit,
  next: number,
  topic: string,
  queueId: number,
  log: StoredLog,
): string | undefined {
  if (unit.baseOffset < next) return `overlaps the one before, which ends at ${next}`
  if (unit.offset < log.first) return undefined // Its record has expired.
  const isBehind = unit.offset + unit.size > log.end
  if (isBehind && log.isOpen) return undefined // Or was, a moment later.
  const record = isBehind ? undefined : log.recordAt(unit.offset)
  if (record === undefined) return `points at ${unit.offset}, where no record begins`
  if (record.size !== unit.size)
    return `says ${unit.size} bytes, the record at ${unit.offset} has ${record.size}`
  if (record.topic !== topic || record.queueId !== queueId)
    return `points at ${unit.offset}, a record of ${record.topic}/${record.queueId}`
  const { first, count } = placesOf(record)
  if (first !== unit.baseOffset || count !== unit.batchSize)
    return `says ${unit.batchSize} messages, its record has ${count} from ${first} on`
  if (record.storeTimestamp !== unit.storeTimestamp)
    return `has store time ${unit.storeTimestamp}, its record ${record.storeTimestamp}`
  const tagsCode = tagsCodeOf(propertyOf(record.properties, 'TAGS'))
  return unit.tagsCode === tagsCode ? undefined : `has tags code ${unit.tagsCode}, its record ${tagsCode}`
}

function placesOf(record: LogRecord): { readonly first: number; readonly count: number } {
  if ((record.sysFlag & SysFlag.innerBatch) === 0) return { first: record.queueOffset, count: 1 }
  try {
    const messages = decodeInnerBatch(record)
    return { first: messages[0]?.queueOffset ?? record.queueOffset, count: messages.length }
  } catch (failure) {
    if (failure instanceof BrokerError) return { first: record.queueOffset, count: 0 }
    throw failure
  }
}
