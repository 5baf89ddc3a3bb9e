import type { Files } from '@tandemmq/base'
import {
  UNIT_BYTES,
  decodeUnit,
  extOffsetOf,
  isFillerUnit,
  propertyOf,
  tagsCodeOf,
  type ConsumeQueueUnit,
} from '@tandemmq/codec'
import { DELAY_LEVEL_TOPIC } from '@tandemmq/storage'
import { queueKey, type LogSummary, type QueuedRange } from './check-log.ts'
import { note, problem, type Finding } from './finding.ts'
import { StoredExtensions } from './stored-extensions.ts'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

const BLOCK_UNITS = 2048

export interface QueueSummary {
  queues: number
  units: number
}

/** Where the units of a queue that have a record in the log begin and end, queue offsets. */
interface Units {
  readonly first: number | undefined
  readonly end: number
}

/** Every unit of every consume queue must point at the record that has its place in the queue. */
export function* checkQueues(
  files: Files,
  root: string,
  log: StoredLog,
  records: LogSummary,
  summary: QueueSummary,
): Generator<Finding> {
  const lacking = new Map(records.queues)
  for (const topic of files.list(`${root}/consumequeue`)) {
    for (const queueId of files.list(`${root}/consumequeue/${topic}`)) {
      if (!/^\d{1,10}$/.test(queueId)) continue
      summary.queues += 1
      const queue = { topic, queueId: Number(queueId) }
      const units = yield* checkQueue(files, root, queue, log, summary)
      const key = queueKey(topic, queue.queueId)
      yield* checkReach(`consumequeue/${topic}/${queueId}`, units, lacking.get(key), log)
      lacking.delete(key)
    }
  }
  // A topic's queues may have been deleted; its records stay.
  const topics = readTopics(files, root)
  for (const { topic, queueId, first, next } of lacking.values()) {
    if (records.batchTopics.has(topic) || files.exists(`${root}/batchconsumequeue/${topic}/${queueId}`))
      continue
    const isKnown = topics === undefined || topics.includes(`"${topic}"`)
    const report = isKnown && !log.isOpen ? problem : note
    yield report(
      `consumequeue/${topic}/${queueId}`,
      0,
      `the queue is missing; the log has its records of queue offsets ${first} to ${next - 1}`,
    )
  }
}

/** A queue must lead to every record of it that the log has. While a process is at work, or was killed, it may lag. */
function* checkReach(
  directory: string,
  units: Units,
  records: QueuedRange | undefined,
  log: StoredLog,
): Generator<Finding> {
  if (records === undefined || log.isOpen) return
  if (units.end < records.next) {
    const what = `the queue ends at queue offset ${units.end}; the log has its records up to ${records.next - 1}`
    yield problem(directory, 0, what)
  }
  if (units.first !== undefined && units.first > records.first) {
    const what = `the queue begins at queue offset ${units.first}; the log has its records from ${records.first} on`
    yield problem(directory, 0, what)
  }
}

function readTopics(files: Files, root: string): string | undefined {
  if (!files.exists(`${root}/config/topics.json`)) return undefined
  using file = new StoredFile(files, `${root}/config/topics.json`)
  return file.read(0, file.bytes).toString()
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
): Generator<Finding, Units> {
  const directory = `consumequeue/${queue.topic}/${queue.queueId}`
  using extensions = new StoredExtensions(files, root, queue.topic, queue.queueId)
  yield* extensions.check()
  const starts = files
    .list(`${root}/${directory}`)
    .map(positionOf)
    .filter((start) => start !== undefined)
  let expected: number | undefined
  let first: number | undefined
  let end = 0
  let newest = -1
  let isOver = false
  for (const start of starts.toSorted((a, b) => a - b)) {
    const path = `${directory}/${nameOf(start)}`
    if (expected !== undefined && start !== expected) {
      yield problem(path, 0, `the file before this one, ${nameOf(expected)}, is missing`)
    }
    using file = new StoredFile(files, `${root}/${path}`)
    if (expected !== undefined && start < expected) {
      yield problem(path, 0, `the file before this one reaches to ${expected}`)
    }
    expected = start + file.bytes
    if (file.bytes % UNIT_BYTES !== 0) {
      yield problem(path, file.bytes, `${file.bytes} bytes are no whole number of units`)
    }
    for (let at = 0; at < file.bytes; at += BLOCK_UNITS * UNIT_BYTES) {
      const block = file.read(at, Math.min(BLOCK_UNITS * UNIT_BYTES, file.bytes - at))
      for (let from = 0; from + UNIT_BYTES <= block.length; from += UNIT_BYTES) {
        const queueOffset = (start + at + from) / UNIT_BYTES
        const unit = decodeUnit(block, from)
        if (unit === undefined) {
          const isWritten = !block.subarray(from, from + UNIT_BYTES).equals(unwritten)
          if (isWritten) {
            yield (log.isOpen ? note : problem)(
              path,
              at + from,
              `no unit is that of queue offset ${queueOffset}`,
            )
          }
          isOver = true
          continue
        }
        if (isOver) {
          const what = `the queue ends at queue offset ${end}, but a unit follows at ${queueOffset}`
          yield (log.isOpen ? note : problem)(path, at + from, what)
        }
        if (isFillerUnit(unit)) {
          if (first !== undefined)
            yield problem(path, at + from, `a filler is in place of queue offset ${queueOffset}`)
          continue
        }
        summary.units += 1
        if (unit.offset >= log.first) first ??= queueOffset
        if (!isOver) end = queueOffset + 1
        isOver = false
        const what = wrongWith(unit, queueOffset, queue, newest, log, extensions)
        if (what !== undefined) {
          const { offset, size } = unit
          yield {
            ...problem(path, at + from, what),
            log: { from: offset, to: offset + size, kind: 'pointed' },
          }
        }
        newest = Math.max(newest, unit.offset)
      }
    }
  }
  return { first, end }
}

const unwritten = Buffer.alloc(UNIT_BYTES)

function wrongWith(
  unit: ConsumeQueueUnit,
  queueOffset: number,
  { topic, queueId }: QueueName,
  newest: number,
  log: StoredLog,
  extensions: StoredExtensions,
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
  const tagsCode = topic === DELAY_LEVEL_TOPIC ? undefined : tagsCodeOf(propertyOf(record.properties, 'TAGS'))
  const isAddress = extOffsetOf(unit.tagsCode) !== undefined
  const what = extensions.wrongWith(unit.tagsCode, tagsCode, record.storeTimestamp)
  if (what !== undefined) return `${where} ${what}`
  if (isAddress || tagsCode === undefined) return undefined
  return unit.tagsCode === tagsCode
    ? undefined
    : `${where} has tags code ${unit.tagsCode}, its record ${tagsCode}`
}
