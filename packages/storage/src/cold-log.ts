import {
  BrokerError,
  type Clock,
  type Files,
  type Frontier,
  type LogOffset,
  type OpenFile,
} from '@tandemmq/base'
import { ColdBlocks } from './cold-blocks.ts'
import { ColdReader } from './cold-reader.ts'
import { FileCache } from './file-cache.ts'
import { logFileName } from './log-file-name.ts'
import { planReads, type PlannedRead, type RecordPlace } from './read-plan.ts'

/** The log, as far as its cold part needs it. */
export interface LogInMemory {
  readonly directory: string
  readonly segmentBytes: number
  readonly minOffset: LogOffset
  readonly written: Frontier
  segmentStart(offset: LogOffset): LogOffset
  /** Bytes that may be read in one piece from `offset` on, at most `bytesMax`. Throws as `CommitLog.read`. */
  readable(offset: LogOffset, bytesMax: number): number
  /** What is in the tail's memory. */
  inTail(offset: LogOffset, bytesMax: number): Buffer | undefined
  /** The file of a segment that is being written. */
  hotFile(start: LogOffset): OpenFile | undefined
}

/** Segments open for reading besides those being written. */
const READ_FILES_MAX = 32
/** One read for a reader that goes through the log in order. */
const PIECE_BYTES = 256 * 1024
/** What one {@link ColdLog.warm} reads at most, unless its first record alone is longer. */
const FETCH_BYTES_MAX = 1024 * 1024

/**
 * The part of the log that is on file only. Who knows which records come next has them {@link warm | brought into memory}, off the event loop and in large pieces,
 * and then reads them from memory; who does not, reads a file at once, and all others wait for the disk with it.
 */
export class ColdLog {
  readonly #log: LogInMemory
  readonly #files: FileCache
  readonly #blocks: ColdBlocks
  readonly #reader: ColdReader

  /** @param coldBytes kept in memory of what was read, over all readers */
  constructor(log: LogInMemory, files: Files, clock: Clock, coldBytes: number) {
    this.#log = log
    this.#files = new FileCache(files, 'read', READ_FILES_MAX)
    this.#blocks = new ColdBlocks(coldBytes, Math.min(PIECE_BYTES, coldBytes))
    this.#reader = new ColdReader(this.#blocks, (target, offset) => this.#fill(target, offset), clock)
  }

  /** Whether a record can be read without the disk. */
  isInMemory({ offset, size }: RecordPlace): boolean {
    return this.#log.inTail(offset, size)?.length === size || this.#blocks.has(offset, size)
  }

  /**
   * Reads records that are not in memory, a bounded part of them. Resolves always, with those that were looked at: what of them could not be read, or is
   * not there any more, shows when it is read.
   */
  async warm(places: readonly RecordPlace[]): Promise<readonly RecordPlace[]> {
    const { segmentBytes, minOffset, written } = this.#log
    if (written.failure !== undefined) return places
    const limits = { begin: minOffset, end: written.at, segmentBytes, pieceBytes: this.#blocks.pieceBytes }
    const reads = planReads(
      places.filter((place) => !this.isInMemory(place)),
      limits,
    )
    const now = firstBytes(reads, FETCH_BYTES_MAX)
    await this.#reader.warm(now)
    const later = reads.slice(now.length)
    return places.filter(({ offset }) => !later.some(({ from, to }) => offset >= from && offset < to))
  }

  /**
   * As `CommitLog.read`, off the event loop; `undefined`: there is nothing to wait for, that gives it from the tail's memory. Throws as that; rejects with
   * `LOG_CLOSED` or `OFFSET_EXPIRED` where that comes true meanwhile.
   */
  readLater(offset: LogOffset, bytesMax: number, memory?: () => Buffer): Promise<Buffer> | undefined {
    const size = this.#log.readable(offset, bytesMax)
    if (size === 0 || this.#log.inTail(offset, 1) !== undefined) return undefined
    return this.#readLater(offset, memory?.().subarray(0, size) ?? Buffer.allocUnsafeSlow(size))
  }

  /** The bytes [offset, offset + size) of one segment, from what was read before or from the file, then in `memory` if given. */
  read(offset: LogOffset, size: number, memory?: () => Buffer): Buffer {
    const warm = this.#blocks.bytes(offset, size)
    if (warm !== undefined) return warm
    const start = this.#log.segmentStart(offset)
    const bytes = memory?.().subarray(0, size) ?? Buffer.allocUnsafe(size)
    let count: number
    try {
      count = this.#file(start).read(bytes, offset - start)
    } catch (cause) {
      throw unreadable(start, cause)
    }
    if (count !== size) throw tooShort(start)
    return bytes
  }

  /** The log begins at `offset` from now on, later than at `before`. */
  forgetBelow(offset: LogOffset, before: LogOffset): void {
    for (let start = before; start < offset; start += this.#log.segmentBytes)
      this.#files.drop(this.#path(start))
    this.#blocks.dropBelow(offset)
  }

  close(): void {
    this.#reader.close()
    this.#files.close()
  }

  async #readLater(offset: LogOffset, bytes: Buffer): Promise<Buffer> {
    const start = this.#log.segmentStart(offset)
    let count: number
    try {
      count = await this.#file(start).readLater(bytes, offset - start)
    } catch (cause) {
      throw unreadable(start, cause)
    }
    // A cut has closed this log before it writes into its files.
    this.#log.readable(offset, bytes.length)
    if (count !== bytes.length) throw tooShort(start)
    return bytes
  }

  /** False: the bytes are not there, or not the log's any more. */
  async #fill(target: Buffer, offset: LogOffset): Promise<boolean> {
    const start = this.#log.segmentStart(offset)
    try {
      const count = await this.#file(start).readLater(target, offset - start)
      const { written, minOffset } = this.#log
      return count === target.length && offset >= minOffset && written.failure === undefined
    } catch {
      return false
    }
  }

  #file(start: LogOffset): OpenFile {
    return this.#log.hotFile(start) ?? this.#files.get(this.#path(start))
  }

  #path(start: LogOffset): string {
    return `${this.#log.directory}/${logFileName(start)}`
  }
}

/** As many of the first reads as are together no longer than that, but one. */
function firstBytes(reads: readonly PlannedRead[], bytesMax: number): readonly PlannedRead[] {
  let bytes = 0
  const count = reads.findIndex(({ from, aheadTo }, index) => {
    bytes += aheadTo - from
    return index > 0 && bytes > bytesMax
  })
  return count < 0 ? reads : reads.slice(0, count)
}

/** A disk that does not read, or a process out of descriptors, is the reader's trouble: nobody else may fall over it. */
function unreadable(start: LogOffset, cause: unknown): BrokerError {
  return new BrokerError('UNAVAILABLE', `segment ${start} of the commit log cannot be read`, {
    facts: { start },
    cause,
  })
}

function tooShort(start: LogOffset): BrokerError {
  return new BrokerError('LOG_CORRUPT', `segment ${start} is too short`, { facts: { start } })
}
