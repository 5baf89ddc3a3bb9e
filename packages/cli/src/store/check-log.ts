import { SysFlag, bodyCrcMatches, type LogRecord } from '@tandemmq/codec'
import { PropertyChecksums, canBeQueued, isQueued } from '@tandemmq/storage'
import { problem, type Finding } from './finding.ts'
import type { StoredLog } from './stored-log.ts'

/** What the other checks want to know of the log. */
export interface LogSummary {
  records: number
  newestStoreTimestamp: number
  /** The places in consume queues that records of the log have, by {@link queueKey}. */
  readonly queues: Map<string, QueuedRange>
  /** Topics with inner batches: Apache keeps queues of another kind for them. */
  readonly batchTopics: Set<string>
}

/** Queue offsets [`first`, `next`) have records in the log. */
export interface QueuedRange {
  readonly topic: string
  readonly queueId: number
  readonly first: number
  next: number
  /** Log offset of the record at {@link first}. */
  readonly firstOffset: number
}

export function queueKey(topic: string, queueId: number): string {
  return `${queueId} ${topic}`
}

/**
 * Every frame and every checksum. `flushed`: below it all was on disk. Behind it the end of a log that was not closed may be torn: a start cuts that off.
 */
export function* checkLog(log: StoredLog, flushed: number, summary: LogSummary): Generator<Finding> {
  const checksums = new PropertyChecksums(false)
  for (const piece of log.pieces(flushed)) {
    if (piece.kind === 'finding') {
      const { finding } = piece
      const mayBeTorn = log.isOpen && finding.log?.kind === 'tail' && finding.log.from >= flushed
      yield mayBeTorn ? { ...finding, kind: 'note' } : finding
    }
    if (piece.kind !== 'message') continue
    const { offset, bytes, record } = piece
    const at = offset - log.startOf(offset)
    const where = `the record at log offset ${offset}`
    summary.records += 1
    summary.newestStoreTimestamp = Math.max(summary.newestStoreTimestamp, record.storeTimestamp)
    const damaged = (kind: 'content' | 'place', what: string): Finding => ({
      ...problem(log.pathOf(offset), at, what),
      log: { from: offset, to: offset + bytes.length, kind },
    })
    if (!bodyCrcMatches(bytes, 0)) {
      yield damaged('content', `the body of ${where} has another checksum than it says`)
    }
    if (checksums.check(bytes, 0, bytes.length) === 'wrong') {
      yield damaged('content', `${where} has another checksum than its properties say`)
    }
    const jump = noteQueued(record, summary)
    if (jump !== undefined) yield damaged('place', `${where} ${jump}`)
  }
}

/** Records of a queue count up. Returns what is wrong, in words. */
function noteQueued(record: LogRecord, { queues, batchTopics }: LogSummary): string | undefined {
  const { topic, queueId, queueOffset, sysFlag, physicalOffset } = record
  if ((sysFlag & SysFlag.innerBatch) !== 0) batchTopics.add(topic)
  if (batchTopics.has(topic)) return undefined
  if (!isQueued(sysFlag) || !canBeQueued(record)) return undefined
  const key = queueKey(topic, queueId)
  const range = queues.get(key)
  if (range === undefined) {
    queues.set(key, {
      topic,
      queueId,
      first: queueOffset,
      next: queueOffset + 1,
      firstOffset: physicalOffset,
    })
    return undefined
  }
  const expected = range.next
  range.next = queueOffset + 1
  if (queueOffset === expected) return undefined
  return `has queue offset ${queueOffset} in ${topic}/${queueId}; the one before it leads to ${expected}`
}
