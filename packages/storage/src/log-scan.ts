import type { LogOffset } from '@tandemmq/base'
import { bodyCrcMatches, decodeRecord, scanFrame, type LogRecord } from '@tandemmq/codec'
import type { SegmentReader } from './segment-reader.ts'

export interface LogScanResult {
  /** End of the last whole record (or the segment boundary behind the last blank). */
  readonly end: LogOffset
  /** Why it ends there. */
  readonly stop: 'end-of-files' | 'nothing-written' | 'torn' | 'damaged'
  /** Store time of the last record seen, ms; 0 if none was. */
  readonly storeTimestamp: number
}

/** Bytes read at a time. */
const WINDOW_BYTES = 1024 * 1024

/**
 * Reads whole, checked records from `from` (a record boundary) on, up to the first place where there is none.
 * `visit` sees each in order; `pause` is called between windows.
 */
export async function scanLog(
  reader: SegmentReader,
  from: LogOffset,
  visit: (record: LogRecord) => void,
  pause: () => void,
): Promise<LogScanResult> {
  let storeTimestamp = 0
  let offset = from
  let wanted = WINDOW_BYTES
  while (offset < reader.limit) {
    const window = await reader.readLater(offset, wanted)
    const segmentEnd = reader.segmentStart(offset) + reader.limits.segmentBytes
    const isWhole = offset + window.length === segmentEnd
    let at = 0
    wanted = WINDOW_BYTES
    for (;;) {
      const scan = scanFrame(window, at, reader.limits, offset)
      if (scan.kind === 'message') {
        if (!bodyCrcMatches(window, at)) return { end: offset, stop: 'damaged', storeTimestamp }
        const record = decodeRecord(window, at, { checkBodyCrc: false })
        storeTimestamp = record.storeTimestamp
        visit(record)
        at += scan.size
        offset += scan.size
      } else if (scan.kind === 'blank' && offset + scan.size === segmentEnd) {
        offset = segmentEnd
        break
      } else if (scan.kind === 'incomplete' && !isWhole) {
        wanted = Math.max(WINDOW_BYTES, scan.needed)
        break
      } else {
        pause()
        const stop =
          scan.kind === 'empty' ? 'nothing-written' : scan.kind === 'incomplete' ? 'torn' : 'damaged'
        return { end: offset, stop, storeTimestamp }
      }
    }
    pause()
  }
  return { end: offset, stop: 'end-of-files', storeTimestamp }
}

/** End of the last byte in [`from`, end of its segment) that is not zero; `from` if there is none. */
export async function lastWritten(reader: SegmentReader, from: LogOffset): Promise<LogOffset> {
  let last = from
  const segmentEnd = reader.segmentStart(from) + reader.limits.segmentBytes
  for (let offset = from; offset < segmentEnd;) {
    const window = await reader.readLater(offset, WINDOW_BYTES)
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
