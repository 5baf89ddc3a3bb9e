import type { Files } from '@tandemmq/base'
import {
  UNIT_BYTES,
  decodeUnit,
  isFillerUnit,
  propertyOf,
  tagsCodeOf,
  type ConsumeQueueUnit,
} from '@tandemmq/codec'
import { DELAY_LEVEL_TOPIC } from '@tandemmq/storage'
import { note, problem, type Finding } from './finding.ts'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

/** A tags code below is the address of an extension unit. */
const EXTENSION_ADDRESS_MAX = -2_147_483_649n
const BLOCK_UNITS = 2048

export interface QueueSummary {
  queues: number
  units: number
}

/** Every unit of every consume queue must point at the record that has its place in the queue. */
export function* checkQueues(
  files: Files,
  root: string,
  log: StoredLog,
  summary: QueueSummary,
): Generator<Finding> {
  for (const topic of files.list(`${root}/consumequeue`)) {
    for (const queueId of files.list(`${root}/consumequeue/${topic}`)) {
      if (!/^\d{1,10}$/.test(queueId)) continue
      summary.queues += 1
      yield* checkQueue(files, root, { topic, queueId: Number(queueId) }, log, summary)
    }
  }
}

interface QueueName {
  readonly topic: string
  readonly queueId: number
}

function* checkQueue(
  files: Files,
  root: string,
  queue: QueueName,
  log: StoredLog,
  summary: QueueSummary,
): Generator<Finding> {
  const directory = `consumequeue/${queue.topic}/${queue.queueId}`
  const starts = files
    .list(`${root}/${directory}`)
    .map(positionOf)
    .filter((start) => start !== undefined)
  let expected: number | undefined
  let newest = -1
  for (const start of starts.toSorted((a, b) => a - b)) {
    const path = `${directory}/${nameOf(start)}`
    if (expected !== undefined && start !== expected)
      yield note(path, 0, `the file before this one, ${nameOf(expected)}, is missing`)
    using file = new StoredFile(files, `${root}/${path}`)
    expected = start + file.bytes
    let isOver = false
    for (let at = 0; at < file.bytes && !isOver; at += BLOCK_UNITS * UNIT_BYTES) {
      const block = file.read(at, Math.min(BLOCK_UNITS * UNIT_BYTES, file.bytes - at))
      for (let from = 0; from + UNIT_BYTES <= block.length; from += UNIT_BYTES) {
        const unit = decodeUnit(block, from)
        isOver = unit === undefined
        if (unit === undefined) break
        if (isFillerUnit(unit)) continue
        summary.units += 1
        const what = wrongWith(unit, (start + at + from) / UNIT_BYTES, queue, newest, log)
        if (what !== undefined) yield problem(path, at + from, what)
        newest = Math.max(newest, unit.offset)
      }
    }
  }
}

function wrongWith(
  unit: ConsumeQueueUnit,
  queueOffset: number,
  { topic, queueId }: QueueName,
  newest: number,
  log: StoredLog,
): string | undefined {
  const where = `the unit of queue offset ${queueOffset}`
  if (unit.offset < log.first) return undefined // Its record has expired.
  if (unit.offset <= newest) return `${where} points back in the log, to ${unit.offset}`
  if (unit.offset + unit.size > log.end && log.isOpen) return undefined // Or was, a moment later.
  if (unit.offset + unit.size > log.end)
    return `${where} points at ${unit.offset}, behind the end of the log at ${log.end}`
  const record = log.recordAt(unit.offset)
  if (record === undefined) return `${where} points at ${unit.offset}, where no record begins`
  if (record.size !== unit.size)
    return `${where} says ${unit.size} bytes, the record at ${unit.offset} has ${record.size}`
  // A light message queue leads to records of other topics.
  if (topic.startsWith('%LMQ%')) return undefined
  if (record.topic !== topic || record.queueId !== queueId) {
    return `${where} points at ${unit.offset}, a record of ${record.topic}/${record.queueId}`
  }
  if (record.queueOffset !== queueOffset) {
    return `${where} points at ${unit.offset}, a record of queue offset ${record.queueOffset}`
  }
  if (topic === DELAY_LEVEL_TOPIC || unit.tagsCode <= EXTENSION_ADDRESS_MAX) return undefined
  const tagsCode = tagsCodeOf(propertyOf(record.properties, 'TAGS'))
  return unit.tagsCode === tagsCode
    ? undefined
    : `${where} has tags code ${unit.tagsCode}, its record ${tagsCode}`
}
