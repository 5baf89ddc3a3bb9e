import { decodeRecord, scanFrame, type LogRecord } from '@tandemmq/codec'
import type { MessageStore } from '@tandemmq/storage'
import { SCAN_LIMITS, SEGMENT_BYTES } from './machine.ts'

/** Every record from the log's bytes alone, in order; checksums are checked. Throws for what is none. */
export function walkLog(store: MessageStore): readonly LogRecord[] {
  const records: LogRecord[] = []
  for (let at = store.minOffset; at < store.end;) {
    const bytes = segmentFrom(store, at)
    const scan = scanFrame(bytes, 0, SCAN_LIMITS, at)
    if (scan.kind !== 'message' && scan.kind !== 'blank') throw new Error(`the log has ${scan.kind} at ${at}`)
    if (scan.kind === 'message') records.push(decodeRecord(bytes, 0))
    at += scan.size
  }
  return records
}

function segmentFrom(store: MessageStore, at: number): Buffer {
  const end = Math.min(store.end, at - (at % SEGMENT_BYTES) + SEGMENT_BYTES)
  const pieces: Buffer[] = []
  for (let from = at; from < end;) {
    const piece = store.read(from, end - from)
    pieces.push(piece)
    from += piece.length
  }
  return Buffer.concat(pieces)
}
