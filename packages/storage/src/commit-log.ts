import {
  BrokerError,
  Frontier,
  invariant,
  isOutOfDescriptors,
  type Clock,
  type Files,
  type LogOffset,
  type OpenFile,
} from '@tandemmq/base'
import { BLANK_BYTES, encodeBlank } from '@tandemmq/codec'
import { ColdLog, type LogInMemory } from './cold-log.ts'
import { DiskReserve } from './disk-reserve.ts'
import { isDiskFull } from './errno.ts'
import { HotSegments } from './hot-segments.ts'
import { expired, outOfDescriptors, outsideLog } from './log-errors.ts'
import { TailMemory } from './tail-memory.ts'
import { zeros } from './zeros.ts'

export interface CommitLogOptions {
  /** The directory of the segments; exists. */
  readonly directory: string
  /** Length of every segment. */
  readonly segmentBytes: number
  /** How much of the tail to keep in memory. */
  readonly tailBytes: number
  /** How much of what was read from files to keep in memory. */
  readonly coldBytes: number
  /** Share of the disk that messages leave free, see {@link DiskReserve}. */
  readonly keptFreeRatio: number
}

/** Raw bytes of this length on are read back from the file, once for all of them: that is cheaper than new memory and a copy. */
const COPIED_BYTES = 16 * 1024

/** Writes a record into `target` at `at`, for its place in the log. */
export type EncodeAt = (target: Buffer, at: number, offset: LogOffset) => void

/**
 * The log: one sequence of bytes in files of equal length. A record never crosses the end of a file: where it does not
 * fit, a blank says so and the next file begins.
 *
 * One writer, no `await` between taking an offset and having written: so offsets are dense by construction.
 */
export class CommitLog implements LogInMemory {
  /** The log's end: what readers may see. */
  readonly written: Frontier
  /** What is on stable storage. */
  readonly flushed: Frontier
  readonly segmentBytes: number
  readonly directory: string
  /** What is on file only. */
  readonly cold: ColdLog
  readonly #hot: HotSegments
  readonly #tail: TailMemory
  readonly #reserve: DiskReserve
  #minOffset: LogOffset
  #end: LogOffset
  /** Bytes behind the end that are in the tail's memory and wait for their write, within one turn. */
  #placed = 0
  #zeroedTo: LogOffset
  #fence: BrokerError | undefined
  #isDiskFull = false

  /** For a recovered log: everything in [`minOffset`, `end`) is on file, everything behind reads as zeros. */
  constructor(options: CommitLogOptions, files: Files, clock: Clock, minOffset: LogOffset, end: LogOffset) {
    this.directory = options.directory
    this.segmentBytes = options.segmentBytes
    this.#hot = new HotSegments(options.directory, options.segmentBytes, files)
    this.#tail = new TailMemory(options.tailBytes)
    this.#reserve = new DiskReserve(files, options.directory, options.keptFreeRatio)
    this.#minOffset = minOffset
    this.#end = end
    this.#zeroedTo = end
    this.written = new Frontier(end)
    this.flushed = new Frontier(end)
    this.cold = new ColdLog(this, files, clock, options.coldBytes)
    const start = this.segmentStart(end)
    if (this.#hot.exists(start)) this.#ensureSegment(start)
  }

  get minOffset(): LogOffset {
    return this.#minOffset
  }

  /** There is no room for messages on the disk, or the last append found none. */
  get isDiskFull(): boolean {
    return this.#isDiskFull || !this.#reserve.hasRoom
  }

  /** There is no room for messages on the disk by the system's count at this moment: it passes without an append. */
  get isOutOfRoom(): boolean {
    return !this.#reserve.hasRoom
  }

  /** Why nothing can be appended any more; `undefined` as long as that is not so. */
  get fence(): BrokerError | undefined {
    return this.#fence
  }

  get zeroedTo(): LogOffset {
    return this.#zeroedTo
  }

  /** Start of the segment that `offset` lies in. */
  segmentStart(offset: LogOffset): LogOffset {
    return offset - (offset % this.segmentBytes)
  }

  /**
   * Appends one record of `size` bytes, which `encode` writes at the place and for the offset that it is told.
   * Readers see it after {@link announce}. Throws `LOG_FENCED`, `DISK_FULL`, `SYSTEM_BUSY` (no file descriptor is left for the next segment), or what
   * `encode` throws; the log is then as before.
   */
  append(size: number, encode: EncodeAt): LogOffset {
    const offset = this.place(size, encode)
    this.writePlaced()
    return offset
  }

  /**
   * As {@link append} without the write: records that are placed one behind the other go to the file in one piece, with {@link writePlaced}, in the
   * same turn. Where {@link canJoin} says no, those before must be written first. Errors as {@link append}; what was placed before stays.
   */
  place(size: number, encode: EncodeAt): LogOffset {
    invariant(size + BLANK_BYTES <= this.segmentBytes, 'a record fits a segment')
    this.#demandWritable()
    this.#reserve.claim(this.#end + this.#placed, size)
    if (this.#placed === 0) {
      const remaining = this.#spaceLeft()
      if (size + BLANK_BYTES > remaining) this.#roll(remaining)
      this.#ensureSegment(this.segmentStart(this.#end))
    } else invariant(this.canJoin(size), 'a record joins those that fit one write with it')
    const { bytes, at } = this.#tail.room(this.#end, this.#placed + size)
    const offset = this.#end + this.#placed
    encode(bytes, at + this.#placed, offset)
    this.#placed += size
    return offset
  }

  /** Whether a record of `size` bytes can be written in one piece with those that are placed. */
  canJoin(size: number): boolean {
    if (this.#placed === 0) return true
    const together = this.#placed + size
    return together + BLANK_BYTES <= this.#spaceLeft() && this.#tail.hasRoom(this.#end, together)
  }

  /** Writes what was placed. Throws as {@link append}: then none of it is in the log, and the place is free again. */
  writePlaced(): void {
    const size = this.#placed
    this.#placed = 0
    const { bytes, at } = this.#tail.room(this.#end, size)
    this.#write(bytes.subarray(at, at + size))
    this.#isDiskFull = false
    this.#tail.keep(size)
    this.#end += size
  }

  /** Appends bytes as another log has them, within one segment. Errors as {@link append}. */
  appendRaw(bytes: Buffer): void {
    this.#demandWritable()
    if (bytes.length === 0) return
    this.#reserve.claim(this.#end, bytes.length)
    const start = this.segmentStart(this.#end)
    invariant(this.#end + bytes.length <= start + this.segmentBytes, 'raw bytes do not cross a segment end')
    this.#ensureSegment(start)
    this.#write(bytes)
    this.#isDiskFull = false
    if (bytes.length < COPIED_BYTES) this.#tail.copy(this.#end, bytes)
    this.#end += bytes.length
  }

  /** Shows readers what was appended. */
  announce(): void {
    this.written.advance(this.#end)
  }

  /** Whether {@link beginAt} is possible. */
  canBeginAt(offset: LogOffset): boolean {
    const isEmpty = this.#end === this.#minOffset && this.#hot.isEmpty
    return isEmpty && offset >= this.#end && offset % this.segmentBytes === 0
  }

  /** Lets a log without any bytes begin at `offset`, the start of a segment. */
  beginAt(offset: LogOffset): void {
    invariant(this.canBeginAt(offset), 'only an empty log can begin elsewhere, and with a segment')
    this.#minOffset = offset
    this.#end = offset
    this.#zeroedTo = offset
    this.flushed.advance(offset)
    this.written.advance(offset)
  }

  /**
   * At most `bytesMax` bytes from `offset` on, never across a segment end, possibly fewer than there are; empty exactly
   * at the end. A view that stays true, or what a file had, in `memory` if given. Throws `OFFSET_EXPIRED` below the log, `ILLEGAL_ARGUMENT` behind it.
   */
  read(offset: LogOffset, bytesMax: number, memory?: () => Buffer): Buffer {
    const size = this.readable(offset, bytesMax)
    if (size === 0) return nothing
    return this.#tail.view(offset, size) ?? this.cold.read(offset, size, memory)
  }

  /** How much {@link read} can give of one segment. Errors as that. */
  readable(offset: LogOffset, bytesMax: number): number {
    const segmentEnd = this.segmentStart(offset) + this.segmentBytes
    return Math.min(bytesMax, this.#readableFrom(offset), segmentEnd - offset)
  }

  /** What the tail's memory has of it; a view that stays true. */
  inTail(offset: LogOffset, bytesMax: number): Buffer | undefined {
    return this.#tail.view(offset, bytesMax)
  }

  /** The open file of a segment that is being written, or waits for its sync. */
  hotFile(start: LogOffset): OpenFile | undefined {
    return this.#hot.file(start)
  }

  /** Exactly `size` bytes of one segment. Errors as {@link read}. */
  readExactly(offset: LogOffset, size: number): Buffer {
    if (this.#readableFrom(offset) < size) throw outsideLog(offset, size, this.#minOffset, this.written.at)
    const view = this.#tail.view(offset, size)
    return view !== undefined && view.length === size ? view : this.cold.read(offset, size)
  }

  /**
   * The log begins at `offset` from now on, the start of a segment: what lies below is refused to readers, and its files may go. Views that
   * were given out stay true.
   */
  forgetBelow(offset: LogOffset): void {
    const isSegment = offset % this.segmentBytes === 0 && offset <= this.segmentStart(this.#end)
    invariant(isSegment && offset >= this.#minOffset, 'a log begins with a segment, and only ever later')
    this.cold.forgetBelow(offset, this.#minOffset)
    this.#minOffset = offset
    this.#isDiskFull = false // There may be room again: the next append finds out.
  }

  /** Takes {@link forgetBelow} back, before any file is gone. */
  keepFrom(offset: LogOffset): void {
    this.#minOffset = offset
  }

  /** Puts everything written so far on stable storage. A failure is final: {@link GroupCommit} fences the log. */
  sync(): Promise<void> {
    return this.#hot.sync(() => this.segmentStart(this.#end))
  }

  /** Nothing is appended, flushed or promised any more until a restart has recovered from what is on disk. */
  fenceOff(cause: unknown): BrokerError {
    this.#fence ??= new BrokerError('LOG_FENCED', 'the disk failed under the commit log', {
      facts: { end: this.#end, flushed: this.flushed.at },
      cause,
    })
    this.flushed.fail(this.#fence)
    return this.#fence
  }

  /**
   * Writes real zeros into the next `bytesMax` bytes that have none yet and will soon be needed, at most up to
   * `ahead` bytes behind the end. They make later syncs cheap: the file system has nothing left to allocate.
   * Creates the next segment on the way. False: there is nothing to do.
   */
  writeZeros(bytesMax: number, ahead: number): boolean {
    if (this.#fence !== undefined || this.written.failure !== undefined) return false
    const from = Math.max(this.#zeroedTo, this.#end)
    if (from + bytesMax > this.#end + ahead || !this.#reserve.hasRoom) return false
    const start = this.segmentStart(from)
    this.#ensureSegment(start)
    const to = Math.min(from + bytesMax, start + this.segmentBytes)
    this.#hot.write(from, zeros(to - from))
    this.#zeroedTo = to
    return true
  }

  /** Whoever waits for one of the frontiers is told `reason`. The files stay open until {@link close}. */
  endFrontiers(reason: BrokerError): void {
    this.written.fail(reason)
    this.flushed.fail(reason)
  }

  close(): void {
    this.#hot.close()
    this.cold.close()
  }

  #spaceLeft(): number {
    return this.segmentStart(this.#end) + this.segmentBytes - this.#end
  }

  #readableFrom(offset: LogOffset): number {
    if (this.written.failure !== undefined) throw this.written.failure
    const end = this.written.at
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > end) {
      throw outsideLog(offset, 0, this.#minOffset, end)
    }
    if (offset < this.#minOffset) throw expired(offset, this.#minOffset)
    return end - offset
  }

  /** The rest of this segment becomes a blank. The next one must exist before: a full disk then changes nothing. */
  #roll(remaining: number): void {
    const next = this.#end + remaining
    this.#ensureSegment(next)
    const { bytes, at } = this.#tail.room(this.#end, BLANK_BYTES)
    encodeBlank(bytes, at, remaining)
    this.#write(bytes.subarray(at, at + BLANK_BYTES))
    this.#tail.keep(BLANK_BYTES)
    this.#end = next
  }

  #ensureSegment(start: LogOffset): void {
    try {
      this.#hot.ensure(start)
    } catch (cause) {
      throw this.#writeFailure(cause)
    }
  }

  /** Writes at the end. After a failure what got there is taken back: garbage must not lie behind the end. */
  #write(bytes: Uint8Array): void {
    try {
      this.#hot.write(this.#end, bytes)
    } catch (cause) {
      try {
        this.#hot.takeBack(this.#end)
        this.#zeroedTo = this.#end
      } catch (second) {
        throw this.fenceOff(second)
      }
      throw this.#writeFailure(cause)
    }
  }

  #writeFailure(cause: unknown): BrokerError {
    // Nothing was written, and nothing is wrong with the disk.
    if (isOutOfDescriptors(cause)) return outOfDescriptors(this.#end, cause)
    if (!isDiskFull(cause)) return this.fenceOff(cause)
    this.#isDiskFull = true
    return new BrokerError('DISK_FULL', 'the disk has no room for the message', {
      facts: { end: this.#end },
      cause,
    })
  }

  #demandWritable(): void {
    if (this.#fence !== undefined) throw this.#fence
    if (this.written.failure !== undefined) throw this.written.failure
  }
}

const nothing = Buffer.alloc(0)
