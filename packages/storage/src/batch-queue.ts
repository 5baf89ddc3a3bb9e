import { crc32 } from 'node:zlib'
import type { LogOffset, QueueOffset } from '@tandemmq/base'
import {
  BATCH_UNIT_BYTES,
  decodeBatchUnit,
  encodeBatchUnit,
  type BatchUnit,
  type ConsumeQueueUnit,
} from '@tandemmq/codec'
import type { BatchExtent } from './batch-queue-extent.ts'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import type { QueueReader } from './consume-queue.ts'
import { logFileName } from './log-file-name.ts'

/** Read at a time when units are summed up. */
const SUM_BLOCK_BYTES = 1000 * BATCH_UNIT_BYTES

/**
 * A queue whose records may hold several messages (RocketMQ BatchConsumeQueue): units of 46 bytes, one after the other, each with the queue offset of its
 * record's first message and their number. A message is found by search. Written by dispatch only, as a consume queue is.
 */
export class BatchQueue implements QueueReader {
  readonly topic: string
  readonly queueId: number
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  /** Units on file: [first, end), counted from the first one there ever was. */
  #first: number
  #end: number
  #min: QueueOffset
  #max: QueueOffset
  #pending: BatchUnit[] = []
  /** CRC-32 of the units on file in [`#first`, `#summedTo`). */
  #sum = 0
  #summedTo: number

  constructor(
    topic: string,
    queueId: number,
    directory: string,
    files: ConsumeQueueFiles,
    extent: BatchExtent | undefined,
  ) {
    this.topic = topic
    this.queueId = queueId
    this.#directory = directory
    this.#files = files
    this.#first = extent?.first ?? 0
    this.#end = extent?.end ?? 0
    this.#summedTo = this.#first
    this.#min = this.#read(this.#first)?.baseOffset ?? 0
    this.#max = endOf(this.#read(this.#end - 1))
  }

  get minOffset(): QueueOffset {
    return this.#min
  }

  get maxOffset(): QueueOffset {
    return this.#max
  }

  /** Numbers of the units on file: [first, end). */
  get onFile(): BatchExtent {
    return { first: this.#first, end: this.#end }
  }

  /** The first message on file has expired: files before it have not been lost. */
  get beginsExpired(): boolean {
    return (this.#read(this.#first)?.baseOffset ?? this.#min) < this.#min
  }

  /** Where the record of the unit numbered `number` lies in the log. */
  recordOf(number: number): LogOffset | undefined {
    return this.#read(number)?.offset
  }

  /** CRC-32 of all units on file up to the one numbered `end`; what is not known of it is read. `undefined`: that would be more than `bytesMax`. */
  checksum(end: number, bytesMax: number): number | undefined {
    if (this.#summedTo > end) this.#forgetSum()
    if ((end - this.#summedTo) * BATCH_UNIT_BYTES > bytesMax) return undefined
    while (this.#summedTo < end) {
      const position = this.#summedTo * BATCH_UNIT_BYTES
      const start = this.#fileStart(this.#summedTo)
      const left = Math.min(
        start + this.#files.fileBytes - position,
        (end - this.#summedTo) * BATCH_UNIT_BYTES,
      )
      const block = Buffer.alloc(Math.min(left, SUM_BLOCK_BYTES))
      this.#files.read(this.#path(start), block, position - start)
      this.#sum = crc32(block, this.#sum)
      this.#summedTo += block.length / BATCH_UNIT_BYTES
    }
    return this.#sum
  }

  /** The newest unit on file. */
  get last(): BatchUnit | undefined {
    return this.#read(this.#end - 1)
  }

  unit(queueOffset: QueueOffset): ConsumeQueueUnit | undefined {
    return this.units(queueOffset, 1)[0]
  }

  units(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[] {
    const units: (ConsumeQueueUnit | undefined)[] = []
    if (queueOffset < this.#min || queueOffset >= this.#max) return units
    let number = this.#firstWhere((unit) => endOf(unit) > queueOffset)
    let found = this.#read(number)
    const end = Math.min(queueOffset + countMax, this.#max)
    for (let at = queueOffset; at < end && found !== undefined; at += 1) {
      if (at >= endOf(found)) {
        number += 1
        found = this.#read(number)
      }
      units.push(found === undefined || at < found.baseOffset ? undefined : sharedUnit(found))
    }
    return units
  }

  extension(): undefined {
    return undefined
  }

  offsetAtOrAfter(offset: LogOffset): QueueOffset {
    return this.#read(this.#firstWhere((unit) => unit.offset >= offset))?.baseOffset ?? this.#max
  }

  /** Adds the unit of a record; false: its messages have their place already. Readers see it after {@link writePending}. A queue without messages as {@link ConsumeQueue.put}. */
  put(unit: BatchUnit): boolean {
    const newest = this.#pending.at(-1)
    if (unit.baseOffset < (newest === undefined ? this.#max : endOf(newest))) {
      if (newest !== undefined || this.#min < this.#max) return false
      this.#countFrom(unit.baseOffset)
    }
    this.#pending.push(unit)
    return true
  }

  /**
   * A queue without units goes on at `queueOffset` (above 0): its messages are gone, and their offsets stay theirs. As a queue keeps its last unit when all of
   * it expires, one is made up that leads below `logMinOffset`; of a log that has nothing below, only memory knows the place.
   */
  goOnAt(queueOffset: QueueOffset, logMinOffset: LogOffset): void {
    if (logMinOffset > 0) {
      this.#pending.push({
        offset: logMinOffset - 1,
        size: 1,
        tagsCode: 0n,
        storeTimestamp: 0,
        baseOffset: queueOffset - 1,
        batchSize: 1,
        compactedOffset: -1,
      })
      this.writePending()
    }
    this.#min = queueOffset
    this.#max = queueOffset
  }

  writePending(): void {
    const pending = this.#pending
    this.#pending = []
    const bytes = Buffer.alloc(BATCH_UNIT_BYTES)
    for (const unit of pending) {
      const position = this.#end * BATCH_UNIT_BYTES
      const start = this.#fileStart(this.#end)
      if (position === start || this.#end === this.#first) {
        this.#files.makeDirectory(this.#directory)
        this.#files.create(this.#path(start))
      }
      encodeBatchUnit(bytes, 0, unit)
      this.#files.write(this.#path(start), bytes, position - start)
      if (this.#min === this.#max) this.#min = unit.baseOffset
      this.#end += 1
      this.#max = endOf(unit)
    }
  }

  dropPending(): void {
    this.#pending = []
  }

  /** Removes the units of records at or behind `logEnd`. The queue goes on with the offset of the first message removed. */
  cut(logEnd: LogOffset): void {
    this.#cutAt(this.#firstWhere((unit) => unit.offset >= logEnd))
  }

  /** The newest unit is gone. */
  cutLast(): void {
    this.#cutAt(this.#end - 1)
  }

  #cutAt(end: number): void {
    const removed = this.#read(end)
    if (removed === undefined) return
    this.#files.cutAll(this.#directory, end * BATCH_UNIT_BYTES)
    this.#end = end
    if (this.#summedTo > end) this.#forgetSum()
    this.#max = removed.baseOffset
    this.#min = Math.min(this.#min, this.#max)
  }

  /** The queue, which has no message, goes on at a lower offset. What it has on file are units of expired ones: behind them, offsets would not grow. */
  #countFrom(queueOffset: QueueOffset): void {
    if (this.#end > this.#first) this.#files.cutAll(this.#directory, this.#first * BATCH_UNIT_BYTES)
    this.#end = this.#first
    this.#min = queueOffset
    this.#max = queueOffset
    this.#forgetSum()
  }

  /** All files may have been written by an earlier process and not be durable. */
  assumeDirty(): void {
    for (let at = this.#first; at < this.#end; at += this.#files.fileBytes / BATCH_UNIT_BYTES)
      this.#files.assumeDirty(this.#path(this.#fileStart(at)))
  }

  /** Messages below `logMinOffset` are gone from the log. */
  advanceMin(logMinOffset: LogOffset): void {
    this.#min = this.offsetAtOrAfter(logMinOffset)
  }

  /** As that of a consume queue. */
  removeExpired(): void {
    const needed = Math.min(this.#firstWhere((unit) => endOf(unit) > this.#min) - 1, this.#end - 1)
    const keepFrom = this.#fileStart(Math.max(this.#first, needed))
    if (keepFrom <= this.#fileStart(this.#first)) return
    this.#files.removeBelow(this.#directory, keepFrom)
    this.#first = keepFrom / BATCH_UNIT_BYTES
    this.#forgetSum()
  }

  /** Number of the first unit with `matches`, which is false up to some unit and true from there; the end if there is none. */
  #firstWhere(matches: (unit: BatchUnit) => boolean): number {
    let low = this.#first
    let high = this.#end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const unit = this.#read(middle)
      if (unit === undefined || matches(unit)) high = middle
      else low = middle + 1
    }
    return low
  }

  #forgetSum(): void {
    this.#sum = 0
    this.#summedTo = this.#first
  }

  #read(number: number): BatchUnit | undefined {
    if (number < this.#first || number >= this.#end) return undefined
    const start = this.#fileStart(number)
    const bytes = Buffer.alloc(BATCH_UNIT_BYTES)
    this.#files.read(this.#path(start), bytes, number * BATCH_UNIT_BYTES - start)
    return decodeBatchUnit(bytes, 0)
  }

  #fileStart(number: number): number {
    const position = number * BATCH_UNIT_BYTES
    return position - (position % this.#files.fileBytes)
  }

  #path(start: number): string {
    return `${this.#directory}/${logFileName(start)}`
  }
}

function endOf(unit: BatchUnit | undefined): QueueOffset {
  return unit === undefined ? 0 : unit.baseOffset + unit.batchSize
}

function sharedUnit({ offset, size, tagsCode, batchSize }: BatchUnit): ConsumeQueueUnit {
  return batchSize === 1 ? { offset, size, tagsCode } : { offset, size, tagsCode, messages: batchSize }
}
