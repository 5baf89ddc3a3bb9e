import { decodeRecord, scanFrame, type LogRecord, type ScanLimits } from '@tandemmq/codec'
import type { MessageStore } from '@tandemmq/storage'

/** Every record from the log's bytes alone, in order; checksums are checked. Throws for what is none. */
export function walkLog(store: MessageStore, limits: ScanLimits): readonly LogRecord[] {
  const records: LogRecord[] = []
  for (let at = store.minOffset; at < store.end;) {
    const bytes = segmentFrom(store, at, limits.segmentBytes)
    const scan = scanFrame(bytes, 0, limits, at)
    if (scan.kind !== 'message' && scan.kind !== 'blank') throw new Error(`the log has ${scan.kind} at ${at}`)
    if (scan.kind === 'message') records.push(decodeRecord(bytes, 0))
    at += scan.size
  }
  return records
}

function segmentFrom(store: MessageStore, at: number, segmentBytes: number): Buffer {
  const end = Math.min(store.end, at - (at % segmentBytes) + segmentBytes)
  const pieces: Buffer[] = []
  for (let from = at; from < end;) {
    const piece = store.read(from, end - from)
    pieces.push(piece)
    from += piece.length
  }
  return Buffer.concat(pieces)
}
