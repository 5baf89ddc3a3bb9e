import type { LogOffset } from '@tandemmq/base'
import { bodyCrcMatches, decodeDispatchFields, scanFrame, type DispatchFields } from '@tandemmq/codec'
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
/** Bytes read at a time. */
const WINDOW_BYTES = 1024 * 1024

/**
 * Reads whole, checked records from `from` (a record boundary) on, up to the first place where there is none.
 * `visit` sees each in order; `pause` is called between windows.
 */
export async function scanLog(
  reader: SegmentReader,
  from: LogOffset,
  trust: LogTrust,
  checksums: PropertyChecksums,
  visit: (record: DispatchFields) => void,
  pause: () => void,
): Promise<LogScanResult> {
  let storeTimestamp = 0
  let offset = from
  let certainEnd = trust.synced
  let wanted = WINDOW_BYTES
  // Used again for every window: nobody keeps a view of it.
  let memory = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  while (offset < reader.limit) {
    if (wanted > memory.length) memory = Buffer.allocUnsafeSlow(wanted)
    const window = await reader.readInto(memory.subarray(0, wanted), offset)
    const segmentEnd = reader.segmentStart(offset) + reader.limits.segmentBytes
    const isWhole = offset + window.length === segmentEnd
    const windowStart = offset - reader.segmentStart(offset)
    let at = 0
    wanted = WINDOW_BYTES
    for (;;) {
      const scan = scanFrame(window, at, reader.limits, offset)
      if (scan.kind === 'message') {
        const checksum = checksums.check(window, at, scan.size)
        const isSound = checksum === 'right' || (checksum === 'none' && bodyCrcMatches(window, at))
        const record = isSound ? decodeDispatchFields(window, at, scan.size) : undefined
        const isDoubtful = trust.pagesMayBeLost && checksum !== 'right' && offset + scan.size > trust.synced
        if (record === undefined || (isDoubtful && hasLostSector(window, at, record, windowStart))) {
          pause()
          return { end: offset, stop: 'damaged', certainEnd: Math.min(certainEnd, offset), storeTimestamp }
        }
        if (checksum === 'right' && offset <= certainEnd)
          certainEnd = Math.max(certainEnd, offset + scan.size)
        storeTimestamp = record.storeTimestamp
        visit(record)
        at += scan.size
        offset += scan.size
      } else if (scan.kind === 'blank' && offset + scan.size === segmentEnd) {
        if (offset <= certainEnd) certainEnd = Math.max(certainEnd, segmentEnd)
        offset = segmentEnd
        break
      } else if (scan.kind === 'incomplete' && !isWhole) {
        wanted = Math.max(WINDOW_BYTES, scan.needed)
        break
      } else {
        pause()
        const stop =
          scan.kind === 'empty' ? 'nothing-written' : scan.kind === 'incomplete' ? 'torn' : 'damaged'
        return { end: offset, stop, certainEnd: Math.min(certainEnd, offset), storeTimestamp }
      }
    }
    pause()
  }
  return { end: offset, stop: 'end-of-files', certainEnd: Math.min(certainEnd, offset), storeTimestamp }
}

/**
 * What follows the body has no checksum of its own. After a power cut a sector that was not saved reads as zeros; our clients'
 * properties never hold a run of those up to their end or over a whole sector. Other clients' may.
 * @param windowStart position of the window in its file, bytes
 */
function hasLostSector(window: Buffer, at: number, record: DispatchFields, windowStart: number): boolean {
  if (record.propertiesBytes === 0) return false
  const end = windowStart + at + record.size
  const first = Math.ceil((end - record.behindBodyBytes) / SECTOR_BYTES) * SECTOR_BYTES
  for (let sector = first; sector < end; sector += SECTOR_BYTES) {
    const piece = window.subarray(sector - windowStart, Math.min(sector + SECTOR_BYTES, end) - windowStart)
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
  const memory = Buffer.allocUnsafe(Math.max(0, Math.min(WINDOW_BYTES, limit - from)))
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

const zeros = Buffer.alloc(WINDOW_BYTES)
