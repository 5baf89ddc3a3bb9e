import type { Files, LogOffset, Logger } from '@tandemmq/base'
import { checkpointTimestamp } from '@tandemmq/codec'
import { arrivalOf, indexedOf } from './arrival.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import type { IndexOfKeys } from './index-of-keys.ts'
import { scanLog } from './log-scan.ts'
import { whyLossIsPossible } from './loss.ts'
import { endOnFile, hasUnsyncedQueues } from './position-file.ts'
import type { PropertyChecksums } from './property-checksums.ts'
import type { KeptEnd, QueueEnds } from './queue-ends.ts'
import type { QueueTrust } from './queue-extent.ts'
import { RecoveryMarks } from './recovery-marks.ts'
import type { SegmentReader } from './segment-reader.ts'
import { settleTail, syncSegments } from './settle-tail.ts'
import { isCleanStop, type StoreEvidence } from './store-evidence.ts'

/** What a start has found and done. */
export interface RecoveryReport {
  /** There was nothing: no log, no position file. */
  readonly fresh: boolean
  readonly cleanStop: boolean
  readonly sameBoot: boolean
  /** Where the log ends now. */
  readonly end: LogOffset
  /** Bytes of a torn tail that were cut off, gaps between them included. */
  readonly truncatedBytes: number
  /**
   * Everything below is as it was written. What a power cut left above may differ where no checksum sees it: a record's is of its body only
   * (RocketMQ CommitLog record layout), unless it ends with one of the whole record (`enabledAppendPropCRC`). Equal to {@link end} otherwise.
   */
  readonly trustedEnd: LogOffset
  /** Acknowledged bytes may be missing at the tail (rule 3.1). */
  readonly lossPossible: boolean
  /** The same in words; what was found, where nothing is wrong. */
  readonly reason: string
}

export interface Recovered {
  readonly report: RecoveryReport
  /** A record boundary at or below the end, from which everything was read. */
  readonly readFrom: LogOffset
  /** Boundaries from there on. */
  readonly marks: RecoveryMarks
  /** Units of records at or behind are not synced, whatever was before this start. */
  readonly queuesSynced: LogOffset
  /** Store time of the last record, ms; 0 if none was read. */
  readonly storeTimestamp: number
}

/**
 * Finds the end of the log, cuts off a torn tail, and brings the consume queues up to it. Reads from the last place that
 * is known to be good, checks every record behind it, and dispatches each (queues know what they have already).
 *
 * Throws `LOG_CORRUPT` where bytes that were on stable storage are damaged: that is for an operator to decide.
 */
export async function recoverStore(
  files: Files,
  reader: SegmentReader,
  queues: ConsumeQueues,
  queueEnds: QueueEnds,
  index: IndexOfKeys | undefined,
  evidence: StoreEvidence,
  checksums: PropertyChecksums,
  logger: Logger,
): Promise<Recovered> {
  const { position } = evidence
  const cleanStop = isCleanStop(evidence)
  const sameBoot = evidence.bootId !== '' && evidence.bootId === position.bootId
  const begin = whereToBegin(reader, evidence)
  const pagesMayBeLost = !cleanStop && !sameBoot
  const areQueuesClean = cleanStop && !hasUnsyncedQueues(position)
  const trust: QueueTrust = { pagesMayBeLost: !areQueuesClean && !sameBoot, synced: begin.queuesSynced }
  queues.recordAt = (offset) => reader.record(offset)
  const recordAt = areQueuesClean ? undefined : queues.recordAt
  let { from } = begin
  let completeTo = 0
  /** Where queues end of which the log may have nothing any more. */
  let keptEnds: readonly KeptEnd[] = []
  let queuesSynced: LogOffset = Infinity
  const buildAgain = async (): Promise<void> => {
    keptEnds = [...queueEnds.known(position.queuesSynced), ...expiredEnds(queues)]
    await queueEnds.noteBuilding(keptEnds)
    queues.reset()
    from = reader.first
    queuesSynced = from
  }
  if (reader.starts.length === 0) {
    queues.reset() // A log that begins anew gives its queues new offsets.
  } else if (!queues.load(trust, reader.first, recordAt)) {
    logger.warn({}, 'consume queues disagree with the log; all are built again')
    await buildAgain()
  } else if (isEmpty(queues)) await buildAgain()
  else {
    const check = queueEnds.check(queues, position.queuesSynced, logger)
    if ('wrong' in check) {
      logger.warn({ why: check.wrong }, 'consume queues are not as they were; all are built again')
      await buildAgain()
    } else completeTo = check.completeTo
  }

  const storeTimeAt = (offset: LogOffset): number | undefined => reader.record(offset)?.storeTimestamp
  if (index !== undefined) {
    if (reader.starts.length === 0) index.reset()
    const sealedUntil = evidence.positionFound === 'nothing' ? evidence.checkpoint.indexMsgTimestamp : 0
    const indexTrust = {
      isClean: areQueuesClean,
      synced: begin.queuesSynced,
      sealedUntil,
      logFirst: reader.first,
    }
    // An index that has lost its newest entries may ask for records that have expired.
    const resumeAt = Math.max(reader.first, (await index.load(indexTrust, storeTimeAt)) ?? from)
    from = Math.min(from, resumeAt)
  }

  const marks = new RecoveryMarks(from)
  const logTrust = { synced: position.flushed, pagesMayBeLost }
  const scan = await scanLog(reader, from, logTrust, checksums, {
    record(record) {
      const { physicalOffset: offset, size } = record
      const isToQueue = offset >= completeTo && !queues.holds(record)
      const isToIndex = index?.lacks(offset) === true
      if (!isToQueue && !isToIndex) return
      const arrival = arrivalOf(record, offset, size)
      if (isToQueue && arrival !== undefined) queues.put(arrival)
      const indexed = isToIndex ? (arrival ?? indexedOf(record, offset)) : undefined
      if (indexed !== undefined) index?.put(indexed)
    },
    pause(reached) {
      marks.note(reached)
      queues.writePending()
      index?.makeRoom()
    },
  })
  for (const { topic, queueId, end, isBatch } of keptEnds) {
    queues.goOnAt(topic, queueId, end, isBatch)
  }
  const known = endOnFile(position)
  const isAsLeft = cleanStop && scan.stop === 'nothing-written' && scan.end === position.cleanEnd
  // Behind the end of a killed process's log there is one torn write at most; a power cut may have left anything.
  const remainsMax = sameBoot ? reader.limits.recordBytesMax : Infinity
  const truncatedBytes = isAsLeft ? 0 : await settleTail(files, reader, scan, known, remainsMax)
  // What a killed process wrote is there, and may still be in memory only: from here on it counts as flushed.
  if (!isAsLeft) await syncSegments(files, reader, Math.min(position.flushed, scan.end), scan.end)
  if (truncatedBytes > 0) {
    logger.warn({ end: scan.end, truncatedBytes }, 'a torn tail of the commit log was cut off')
  }
  queues.cut(scan.end)
  await index?.cut(scan.end, storeTimeAt)

  const fresh = reader.starts.length === 0 && evidence.positionFound === 'nothing'
  const hasLineage = evidence.lineage !== undefined
  const why = whyLossIsPossible({
    cleanStop,
    sameBoot,
    hasLineage,
    end: scan.end,
    endOnFile: known,
    unsettled: position.lossPossible,
  })
  const report = {
    fresh,
    cleanStop,
    sameBoot,
    end: scan.end,
    truncatedBytes,
    trustedEnd: cleanStop || sameBoot ? scan.end : Math.min(scan.end, Math.max(known, scan.certainEnd)),
    lossPossible: why !== undefined,
    reason:
      why ??
      (cleanStop ? 'the last stop was clean' : 'the process was killed, the machine was not restarted'),
  }
  return {
    report,
    readFrom: from,
    marks,
    queuesSynced: Math.min(queuesSynced, scan.end),
    storeTimestamp: scan.storeTimestamp,
  }
}

function isEmpty(queues: ConsumeQueues): boolean {
  for (const queue of queues.readers()) if (queue.maxOffset > 0) return false
  return true
}

/** Of queues whose messages have all expired. */
function expiredEnds(queues: ConsumeQueues): readonly KeptEnd[] {
  const ends: KeptEnd[] = []
  for (const { topic, queueId, minOffset, maxOffset } of queues.readers()) {
    const isBatch = queues.find(topic, queueId) === undefined
    if (minOffset === maxOffset) ends.push({ topic, queueId, end: maxOffset, isBatch })
  }
  return ends
}

/**
 * `from` is a record boundary. Without a position file: the start of the last segment whose first record is certainly in
 * the queues by Apache's checkpoint, as Apache itself begins after a crash.
 */
function whereToBegin(
  reader: SegmentReader,
  evidence: StoreEvidence,
): { readonly from: LogOffset; readonly queuesSynced: LogOffset } {
  const { position, positionFound } = evidence
  if (positionFound !== 'nothing') {
    const inside = position.scanFrom >= reader.first && position.scanFrom <= reader.limit
    const from = inside ? position.scanFrom : reader.first
    return { from, queuesSynced: Math.max(from, position.queuesSynced) }
  }
  const certain = checkpointTimestamp(evidence.checkpoint)
  const from =
    reader.starts.findLast((start) => {
      const record = reader.record(start)
      return record !== undefined && record.storeTimestamp <= certain
    }) ?? reader.first
  return { from, queuesSynced: from }
}
