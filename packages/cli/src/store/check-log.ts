import { bodyCrcMatches, checkPropertyCrc } from '@tandemmq/codec'
import { problem, type Finding } from './finding.ts'
import type { StoredLog } from './stored-log.ts'

/** What the other checks want to know of the log. */
export interface LogSummary {
  records: number
  newestStoreTimestamp: number
}

/**
 * Every frame and every checksum. `flushed`: below it all was on disk. Behind it the end of a log that was not closed may be torn: a start cuts that off.
 */
export function* checkLog(log: StoredLog, flushed: number, summary: LogSummary): Generator<Finding> {
  const last = log.starts.at(-1) ?? 0
  for (const piece of log.pieces()) {
    if (piece.kind === 'finding') {
      const { finding } = piece
      const mayBeTorn = log.isOpen && finding.file === log.pathOf(last) && last + finding.at >= flushed
      yield mayBeTorn ? { ...finding, kind: 'note' } : finding
    }
    if (piece.kind !== 'message') continue
    const { offset, bytes, record } = piece
    const at = offset - log.startOf(offset)
    const where = `the record at log offset ${offset}`
    summary.records += 1
    summary.newestStoreTimestamp = Math.max(summary.newestStoreTimestamp, record.storeTimestamp)
    if (!bodyCrcMatches(bytes, 0))
      yield problem(log.pathOf(offset), at, `the body of ${where} has another checksum than it says`)
    if (checkPropertyCrc(bytes, 0, bytes.length) === 'wrong') {
      yield problem(log.pathOf(offset), at, `${where} has another checksum than its properties say`)
    }
  }
}
