import type { LogOffset } from '@tandemmq/base'
import { DispatchFieldsReader, dataViewOf, scanFrameIn, type DispatchFields } from '@tandemmq/codec'
import { LogWindows } from './log-windows.ts'
import type { PropertyChecksums } from './property-checksums.ts'
import type { SegmentReader } from './segment-reader.ts'

export interface LogScanResult {
  /** End of the last whole record (or the segment boundary behind the last blank). */
  readonly end: LogOffset
  /** Why it ends there. */
  readonly stop: 'end-of-files' | 'nothing-written' | 'torn' | 'damaged'
  /** Up to here nothing has changed since it was written: it was synced, or a checksum covers all of it. */
  readonly certainEnd: LogOffset
  /** Store time of the last record seen, ms; 0 if none was. */
  readonly storeTimestamp: number
}

/** How far the log's files can be believed. */
export interface LogTrust {
  /** Everything below was synced. */
  readonly synced: LogOffset
  /** Power may have gone: of what was not synced, any part may be missing. What a killed process wrote is there. */
  readonly pagesMayBeLost: boolean
}

/** What a disk saves in one piece. */
const SECTOR_BYTES = 512
/** Read at a time behind the end. */
const BLOCK_BYTES = 1024 * 1024

/** What a scan shows to who asked for it. */
export interface LogScanVisitor {
  /** Each whole, checked record, in order. The object is the next one's afterwards. */
  record(record: DispatchFields): void
  /** Between windows, with the record boundary that was reached. */
  pause(reached: LogOffset): void
}

/** Reads whole, checked records from `from` (a record boundary) on, up to the first place where there is none. */
export async function scanLog(
  reader: SegmentReader,
  from: LogOffset,
  trust: LogTrust,
  checksums: PropertyChecksums,
  visitor: LogScanVisitor,
): Promise<LogScanResult> {
  const scan = new LogScan(reader, from, trust, checksums, visitor)
  if (from >= reader.limit) return scan.result('end-of-files')
  const windows = new LogWindows(reader, from)
  try {
    for (;;) {
      const stop = scan.take(await windows.next(scan.offset, scan.rest))
      visitor.pause(scan.settled)
      if (stop !== undefined) return scan.result(stop)
    }
  } finally {
    await windows.settled()
  }
}

const nothing: Buffer = Buffer.alloc(0)

/** Where a scan stands between two windows. */
class LogScan {
  /** Everything below was seen. */
  offset: LogOffset
  /** The end of the last window: a record that goes on in the next. */
  rest = nothing
  readonly #reader: SegmentReader
  readonly #trust: LogTrust
  readonly #checksums: PropertyChecksums
  readonly #visitor: LogScanVisitor
  readonly #record = new DispatchFieldsReader()
  #certainEnd: LogOffset
  #storeTimestamp = 0
  /** Where the last record begins, if its properties may not have been written to their end. */
  #unfinished: LogOffset | undefined

  constructor(
    reader: SegmentReader,
    from: LogOffset,
    trust: LogTrust,
    checksums: PropertyChecksums,
    visitor: LogScanVisitor,
  ) {
    this.#reader = reader
    this.offset = from
    this.#trust = trust
    this.#checksums = checksums
    this.#visitor = visitor
    this.#certainEnd = trust.synced
  }

  /** Up to where nothing that follows can change what was seen. */
  get settled(): LogOffset {
    return this.#unfinished ?? this.offset
  }

  /** What nothing follows and has no end is torn: a process was killed while it wrote it, or before the rest of it had come. */
  result(stop: LogScanResult['stop']): LogScanResult {
    const end = this.settled
    const certainEnd = Math.min(this.#certainEnd, end)
    return { end, stop: end < this.offset ? 'torn' : stop, certainEnd, storeTimestamp: this.#storeTimestamp }
  }

  /** Goes on through the bytes from `offset` on. Returns why nothing can follow, if that is so. */
  take(window: Buffer): LogScanResult['stop'] | undefined {
    const { limits, limit } = this.#reader
    const segmentStart = this.#reader.segmentStart(this.offset)
    const segmentEnd = segmentStart + limits.segmentBytes
    const isWhole = this.offset + window.length === segmentEnd
    const inFile = this.offset - segmentStart
    const view = dataViewOf(window)
    this.#record.look(window)
    this.rest = nothing
    for (let at = 0; ;) {
      const scan = scanFrameIn(view, at, limits, this.offset)
      if (scan.kind === 'message') {
        if (!this.#takeRecord(window, at, scan.size, inFile)) return 'damaged'
        at += scan.size
      } else if (scan.kind === 'blank' && this.offset + scan.size === segmentEnd) {
        this.#unfinished = undefined
        this.#moveTo(segmentEnd, true)
        return segmentEnd === limit ? 'end-of-files' : undefined
      } else if (scan.kind === 'incomplete' && !isWhole) {
        this.rest = window.subarray(at)
        return undefined
      } else if (at === window.length && isWhole) {
        return segmentEnd === limit ? 'end-of-files' : undefined
      } else {
        return scan.kind === 'empty' ? 'nothing-written' : scan.kind === 'incomplete' ? 'torn' : 'damaged'
      }
    }
  }

  /** False: it is not as it was written. */
  #takeRecord(window: Buffer, at: number, size: number, windowInFile: number): boolean {
    const record = this.#record
    const checksum = this.#checksums.check(window, at, size)
    if (!record.take(at, size)) return false
    const isSound = checksum === 'right' || (checksum === 'none' && record.isBodyRight)
    if (!isSound) return false
    const end = this.offset + size
    const isDoubtful = checksum !== 'right' && end > this.#trust.synced && record.propertiesBytes > 0
    const hasNoEnd = isDoubtful && window[at + size - 1] === 0
    if (isDoubtful && this.#trust.pagesMayBeLost) {
      if (hasNoEnd || hasLostSector(window, at, record, windowInFile)) return false
    }
    this.#unfinished = hasNoEnd ? this.offset : undefined
    this.#storeTimestamp = record.storeTimestamp
    this.#visitor.record(record)
    this.#moveTo(end, checksum === 'right')
    return true
  }

  /** Over something of which every bit is as it was written, or not certainly so. */
  #moveTo(end: LogOffset, isCertain: boolean): void {
    if (isCertain && this.offset <= this.#certainEnd) this.#certainEnd = Math.max(this.#certainEnd, end)
    this.offset = end
  }
}

/**
 * What follows the body has no checksum of its own. After a power cut a sector that was not saved reads as zeros; our clients'
 * properties never hold a run of those over a whole sector, and never end in one. Other clients' may.
 * @param windowInFile position of the window in its file, bytes
 */
function hasLostSector(window: Buffer, at: number, record: DispatchFields, windowInFile: number): boolean {
  const end = windowInFile + at + record.size
  const first = Math.ceil((end - record.behindBodyBytes) / SECTOR_BYTES) * SECTOR_BYTES
  for (let sector = first; sector < end; sector += SECTOR_BYTES) {
    const piece = window.subarray(sector - windowInFile, Math.min(sector + SECTOR_BYTES, end) - windowInFile)
    if (zeros.compare(piece, 0, piece.length, 0, piece.length) === 0) return true
  }
  return false
}

/**
 * End of the last byte in [`from`, `from + bytesMax`) that is not zero, looking no further than the end of the segment;
 * `from` if there is none.
 */
export async function lastWritten(
  reader: SegmentReader,
  from: LogOffset,
  bytesMax: number,
): Promise<LogOffset> {
  let last = from
  const segmentEnd = reader.segmentStart(from) + reader.limits.segmentBytes
  const limit = Math.min(segmentEnd, from + bytesMax)
  const memory = Buffer.allocUnsafe(Math.max(0, Math.min(BLOCK_BYTES, limit - from)))
  for (let offset = from; offset < limit;) {
    const window = await reader.readInto(memory, offset)
    if (zeros.compare(window, 0, window.length, 0, window.length) !== 0) {
      let end = window.length
      while (window[end - 1] === 0) end -= 1
      last = offset + end
    }
    offset += window.length
  }
  return last
}

const zeros = Buffer.alloc(BLOCK_BYTES)
