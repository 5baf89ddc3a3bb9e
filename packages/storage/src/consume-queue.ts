import { crc32 } from 'node:zlib'
import { invariant, type LogOffset, type QueueOffset } from '@tandemmq/base'
import {
  UNIT_BYTES,
  decodeUnit,
  fillerUnit,
  isFillerUnit,
  type ConsumeQueueUnit,
  type ExtUnit,
} from '@tandemmq/codec'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import { logFileName } from './log-file-name.ts'
import type { QueueExtensions } from './queue-extensions.ts'
import { UnitBatch } from './unit-batch.ts'

/** Read at a time when units are summed up. */
const SUM_BLOCK_BYTES = 3200 * UNIT_BYTES

/** What readers see of a queue. */
export interface QueueReader {
  readonly topic: string
  readonly queueId: number
  /** The oldest message that is still there. */
  readonly minOffset: QueueOffset
  /** One behind the newest. */
  readonly maxOffset: QueueOffset
  /** `undefined` outside of [min, max), and at a position that the queue never had. */
  unit(queueOffset: QueueOffset): ConsumeQueueUnit | undefined
  /** Units of consecutive positions from `queueOffset` on, as far as there are, in one read. */
  units(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[]
  /** What an Apache with `enableConsumeQueueExt` has kept beside the unit; `undefined`: nothing. */
  extension(queueOffset: QueueOffset): ExtUnit | undefined
  /** The first position whose record lies at or behind `offset` in the log; `maxOffset` if there is none. */
  offsetAtOrAfter(offset: LogOffset): QueueOffset
}

/** Bounds of the units on file: [first, end) as queue offsets, `first` being the start of the first file. */
export interface QueueExtent {
  readonly first: QueueOffset
  readonly min: QueueOffset
  readonly end: QueueOffset
}

/**
 * One queue of a topic: units of 20 bytes at their queue offset × 20, in files of equal length named by their first
 * byte (RocketMQ ConsumeQueue). Written by dispatch only: units gather in memory during a batch and go out in one write.
 */
export class ConsumeQueue implements QueueReader {
  readonly topic: string
  readonly queueId: number
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  readonly #extensions: QueueExtensions | undefined
  #first: QueueOffset
  #min: QueueOffset
  /** Where the record of `#min` lies in the log; `undefined`: not known. */
  #minUnitAt: LogOffset | undefined
  /** Readable below. */
  #end: QueueOffset
  /** Where the record of the unit before `end` lies in the log; good as long as the queue ends there. */
  #knownLast: { readonly end: QueueOffset; readonly at: LogOffset } | undefined
  readonly #pending = new UnitBatch()
  /** CRC-32 of the units on file in [`#first`, `#summedTo`). */
  #sum = 0
  #summedTo: QueueOffset

  /** `extent`: what is on file; `undefined` for a queue without files. */
  constructor(
    topic: string,
    queueId: number,
    directory: string,
    files: ConsumeQueueFiles,
    extent: QueueExtent | undefined,
    extensions?: QueueExtensions,
  ) {
    this.topic = topic
    this.queueId = queueId
    this.#directory = directory
    this.#files = files
    this.#first = extent?.first ?? 0
    this.#min = extent?.min ?? 0
    this.#end = extent?.end ?? 0
    this.#summedTo = this.#first
    this.#extensions = extensions
  }

  get minOffset(): QueueOffset {
    return this.#min
  }

  get maxOffset(): QueueOffset {
    return this.#end
  }

  /** One behind the newest unit, also of those that are not written yet. */
  get nextOffset(): QueueOffset {
    return this.#end + this.#pending.count
  }

  unit(queueOffset: QueueOffset): ConsumeQueueUnit | undefined {
    return this.units(queueOffset, 1)[0]
  }

  units(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[] {
    const extensions = this.#extensions
    const units = this.unitsOnFile(queueOffset, countMax)
    if (extensions === undefined) return units
    return units.map((unit) => unit && extensions.resolved(this.topic, this.queueId, unit))
  }

  extension(queueOffset: QueueOffset): ExtUnit | undefined {
    const [unit] = this.unitsOnFile(queueOffset, 1)
    return unit && this.#extensions?.of(this.topic, this.queueId, unit.tagsCode)
  }

  /** As {@link units}, with tags codes as they are on file: the address of an extension, where there is one. */
  unitsOnFile(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[] {
    if (queueOffset < this.#min || queueOffset >= this.#end) return []
    const position = queueOffset * UNIT_BYTES
    const start = this.#fileStart(position)
    const inFile = (start + this.#files.fileBytes - position) / UNIT_BYTES
    const bytes = Buffer.alloc(Math.min(countMax, this.#end - queueOffset, inFile) * UNIT_BYTES)
    this.#files.read(this.#path(start), bytes, position - start)
    const units: (ConsumeQueueUnit | undefined)[] = []
    for (let at = 0; at < bytes.length; at += UNIT_BYTES) units.push(realUnit(bytes, at))
    return units
  }

  offsetAtOrAfter(offset: LogOffset): QueueOffset {
    return this.#firstWhere((unit) => unit.offset >= offset)
  }

  /**
   * Adds the unit of a record. Readers see it after {@link writePending}. False: the position is taken already, as
   * happens when records are dispatched again after a restart. A queue without messages takes a lower position than it ended at: a master
   * that never had those that have expired counts from where it can see.
   */
  put(queueOffset: QueueOffset, unit: ConsumeQueueUnit): boolean {
    if (this.isTaken(queueOffset)) return false
    if (queueOffset < this.nextOffset) this.#countFrom(queueOffset)
    const next = this.nextOffset
    const skipped = queueOffset - next
    if (next === 0 || skipped * UNIT_BYTES > this.#files.fileBytes) this.#startAt(queueOffset)
    else if (this.#min === next) this.#min = queueOffset // Still without a message.
    // Positions that were never a message's hold fillers, so that position × 20 stays true.
    while (this.nextOffset < queueOffset) this.#pending.add(fillerUnit)
    this.#pending.add(unit)
    return true
  }

  /** Whether the position is behind the newest message; of a queue that has none, no position is. */
  isTaken(queueOffset: QueueOffset): boolean {
    return queueOffset < this.nextOffset && this.#min < this.nextOffset
  }

  /** A queue without files goes on at `queueOffset` (above 0): its messages are gone, and their offsets stay theirs. */
  goOnAt(queueOffset: QueueOffset): void {
    invariant(
      this.#end === 0 && this.#pending.count === 0,
      'a queue that has messages knows where it goes on',
    )
    this.#startAt(queueOffset - 1)
    this.#min = queueOffset
    while (this.nextOffset < queueOffset) this.#pending.add(fillerUnit)
    this.writePending()
  }

  /** Writes what {@link put} gathered, in one piece per file. After a failure it is as if nothing had been put. */
  writePending(): void {
    const bytes = this.#pending.take()
    for (let done = 0; done < bytes.length;) {
      const position = this.#end * UNIT_BYTES + done
      const start = this.#fileStart(position)
      if (position === start || this.#end === this.#first) this.#createFile(start)
      const piece = bytes.subarray(done, done + start + this.#files.fileBytes - position)
      this.#files.write(this.#path(start), piece, position - start)
      done += piece.length
    }
    if (this.#summedTo === this.#end) this.#sumUp(bytes)
    this.#end += bytes.length / UNIT_BYTES
  }

  /** Where the first file begins. */
  get firstOnFile(): QueueOffset {
    return this.#first
  }

  /** CRC-32 of all units on file up to `end`; what is not known of it is read. `undefined`: that would be more than `bytesMax`. */
  checksum(end: QueueOffset, bytesMax: number): number | undefined {
    if (this.#summedTo > end) this.#forgetSum()
    if ((end - this.#summedTo) * UNIT_BYTES > bytesMax) return undefined
    while (this.#summedTo < end) {
      const position = this.#summedTo * UNIT_BYTES
      const start = this.#fileStart(position)
      const left = Math.min(start + this.#files.fileBytes - position, (end - this.#summedTo) * UNIT_BYTES)
      const block = Buffer.alloc(Math.min(left, SUM_BLOCK_BYTES))
      this.#files.read(this.#path(start), block, position - start)
      this.#sumUp(block)
    }
    return this.#sum
  }

  /** What {@link checksum} gave for `end` in an earlier life is believed. */
  believeChecksum(end: QueueOffset, sum: number): void {
    this.#sum = sum
    this.#summedTo = end
  }

  /** Forgets units that were put and not written. */
  dropPending(): void {
    this.#pending.take()
  }

  /** Removes the units of records at or behind `logEnd`. The queue goes on with the offset of the first one removed. */
  cut(logEnd: LogOffset): void {
    invariant(this.#pending.count === 0, 'a queue is cut between batches')
    const last = this.#lastUnitAt()
    if (last !== undefined && last < logEnd) return
    this.cutAt(this.offsetAtOrAfter(logEnd))
  }

  /** The queue ends at `end`. */
  cutAt(end: QueueOffset): void {
    if (end === this.#end) return
    this.#files.cutAll(this.#directory, end * UNIT_BYTES)
    this.#end = end
    this.#knownLast = undefined // Other units may come to end at the same offset.
    this.#min = Math.min(this.#min, end)
    this.#minUnitAt = undefined
    if (this.#summedTo > end) this.#forgetSum()
  }

  /** Learns, while the file is open, what a start will ask of it. */
  look(): void {
    this.#lastUnitAt()
  }

  /** Units of records at or behind `synced` may have been written by an earlier process and not be durable. */
  assumeDirty(synced: LogOffset): void {
    const lastUnit = this.#lastUnitAt()
    if (lastUnit !== undefined && lastUnit < synced) return
    const last = this.#fileStart(Math.max(this.#first, this.#end - 1) * UNIT_BYTES)
    const from = this.#fileStart(this.offsetAtOrAfter(synced) * UNIT_BYTES)
    for (let start = Math.min(from, last); start <= last; start += this.#files.fileBytes) {
      this.#files.assumeDirty(this.#path(start))
    }
  }

  /** Messages below `logMinOffset` are gone from the log. A queue that has none left goes on at the same offset. */
  advanceMin(logMinOffset: LogOffset): void {
    if (this.#min === this.#end) return
    this.#minUnitAt ??= this.unit(this.#min)?.offset
    if (this.#minUnitAt !== undefined && this.#minUnitAt >= logMinOffset) return
    this.#min = this.offsetAtOrAfter(logMinOffset)
    this.#minUnitAt = this.unit(this.#min)?.offset
  }

  /**
   * Removes files that hold only messages below {@link minOffset}, but never the last one, which knows where the queue goes on (RocketMQ
   * ConsumeQueue.deleteExpiredFile), nor the last expired message: a queue that begins with one has lost no file of messages.
   */
  removeExpired(): void {
    const last = this.#fileStart(Math.max(this.#first, this.#end - 1) * UNIT_BYTES)
    const keepFrom = Math.min(this.#fileStart(Math.max(this.#min - 1, 0) * UNIT_BYTES), last)
    if (keepFrom <= this.#first * UNIT_BYTES) return
    this.#files.removeBelow(this.#directory, keepFrom)
    this.#first = keepFrom / UNIT_BYTES
    this.#forgetSum()
  }

  /**
   * The queue begins at `queueOffset`, which the file that holds it is filled up to. Also where a log jumps by more
   * than a file: what came before cannot be reached by position any more.
   */
  #startAt(queueOffset: QueueOffset): void {
    this.writePending()
    const first = this.#fileStart(queueOffset * UNIT_BYTES) / UNIT_BYTES
    this.#first = first
    this.#end = Math.max(first, this.#end)
    this.#min = queueOffset
    this.#minUnitAt = undefined
    this.#forgetSum()
  }

  /** The queue, which has no message, goes on at a lower position. */
  #countFrom(queueOffset: QueueOffset): void {
    this.cutAt(queueOffset)
    if (queueOffset >= this.#first) return
    this.#end = this.#fileStart(queueOffset * UNIT_BYTES) / UNIT_BYTES
    this.#startAt(queueOffset)
  }

  #sumUp(units: Buffer): void {
    this.#sum = crc32(units, this.#sum)
    this.#summedTo += units.length / UNIT_BYTES
  }

  #forgetSum(): void {
    this.#sum = 0
    this.#summedTo = this.#first
  }

  #createFile(start: number): void {
    this.#files.makeDirectory(this.#directory)
    this.#files.create(this.#path(start))
  }

  /** Binary search for the first real unit with `matches`, which is false up to some position and true from there. */
  #firstWhere(matches: (unit: ConsumeQueueUnit) => boolean): QueueOffset {
    let low = this.#min
    let high = this.#end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      let real = middle
      let unit = this.unit(real)
      while (unit === undefined && real + 1 < high) {
        real += 1
        unit = this.unit(real)
      }
      if (unit === undefined || matches(unit)) high = middle
      else low = real + 1
    }
    while (low < this.#end && this.unit(low) === undefined) low += 1
    return low
  }

  /** Where the record of the last unit on file lies in the log. */
  #lastUnitAt(): LogOffset | undefined {
    const known = this.#knownLast
    if (known?.end === this.#end) return known.at
    const at = this.unit(this.#end - 1)?.offset
    if (at !== undefined) this.#knownLast = { end: this.#end, at }
    return at
  }

  #fileStart(position: number): number {
    return position - (position % this.#files.fileBytes)
  }

  #path(start: number): string {
    return `${this.#directory}/${logFileName(start)}`
  }
}

function realUnit(bytes: Buffer, at: number): ConsumeQueueUnit | undefined {
  const unit = decodeUnit(bytes, at)
  return unit === undefined || isFillerUnit(unit) ? undefined : unit
}
