import {
  readWhole,
  BrokerError,
  isNotTheContent,
  messageOf,
  type Files,
  type LogOffset,
  type Logger,
} from '@tandemmq/base'
import { checkpointTimestamp, decodeCheckpoint, type Checkpoint, type Lineage } from '@tandemmq/codec'
import { arrivalOf, indexedOf } from './arrival.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import type { IndexOfKeys } from './index-of-keys.ts'
import { cutLog } from './log-cut.ts'
import { logFileName } from './log-file-name.ts'
import { lastWritten, scanLog, type LogScanResult } from './log-scan.ts'
import { whyLossIsPossible } from './loss.ts'
import { endOnFile, hasUnsyncedQueues, type Position } from './position-file.ts'
import type { PropertyChecksums } from './property-checksums.ts'
import type { KeptEnd, QueueEnds } from './queue-ends.ts'
import type { QueueTrust } from './queue-extent.ts'
import { RecoveryMarks } from './recovery-marks.ts'
import { repairHint } from './repair-hint.ts'
import type { SegmentReader } from './segment-reader.ts'

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

/** What the files beside the log say about it. */
export interface StoreEvidence {
  readonly position: Position
  /** `stale`: the newest position file was damaged, this is an older one. */
  readonly positionFound: 'nothing' | 'current' | 'stale'
  /** Apache's mark of a running process. */
  readonly abortFound: boolean
  readonly checkpoint: Checkpoint
  readonly lineage: Lineage | undefined
  readonly bootId: string
}

export const noCheckpoint: Checkpoint = {
  physicMsgTimestamp: 0,
  logicsMsgTimestamp: 0,
  indexMsgTimestamp: 0,
  masterFlushedOffset: 0,
  confirmPhyOffset: 0,
  logicsPhysicalOffset: 0,
}

/** Apache's checkpoint; a damaged one is as good as none, it only says where to begin. */
export function readCheckpoint(files: Files, path: string, logger: Logger): Checkpoint {
  if (!files.exists(path)) return noCheckpoint
  try {
    const checkpoint = decodeCheckpoint(readWhole(files, path))
    if (isPossible(checkpoint)) return checkpoint
    logger.warn({ path }, 'the checkpoint holds what cannot be and is ignored')
    return noCheckpoint
  } catch (failure) {
    if (isNotTheContent(failure)) throw failure
    logger.warn({ path, why: messageOf(failure) }, 'the checkpoint cannot be read and is ignored')
    return noCheckpoint
  }
}

/** Later than any store time, ms (the year 2248); Apache's checkpoint has no checksum. */
const TIME_MAX = 2 ** 43

function isPossible(checkpoint: Checkpoint): boolean {
  const { physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp, ...offsets } = checkpoint
  const times = [physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp]
  return (
    times.every((time) => time >= -1 && time < TIME_MAX) &&
    Object.values(offsets).every((offset) => offset >= -1 && offset < Number.MAX_SAFE_INTEGER)
  )
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

/** Without a position file of ours, Apache's word counts. A process of Apache's that crashed since leaves its mark. */
function isCleanStop(evidence: StoreEvidence): boolean {
  // The mark stays where queues were left unsynced: Apache then looks for what they may lack.
  if (evidence.abortFound && !hasUnsyncedQueues(evidence.position)) return false
  if (evidence.positionFound === 'nothing') return evidence.lineage === undefined
  return evidence.positionFound === 'current' && evidence.position.cleanEnd !== undefined
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

/** Puts the files that hold [`from`, `end`) on disk, at the length that readers count on: a crash may have taken that. */
async function syncSegments(
  files: Files,
  reader: SegmentReader,
  from: LogOffset,
  end: LogOffset,
): Promise<void> {
  for (const start of reader.starts) {
    if (start + reader.limits.segmentBytes <= from || start >= end) continue
    const file = files.open(`${reader.directory}/${logFileName(start)}`, 'read-write')
    try {
      if (file.size() < reader.limits.segmentBytes) file.truncate(reader.limits.segmentBytes)
      await file.dataSync()
    } finally {
      file.close()
    }
  }
  await files.syncDirectory(reader.directory)
}

function fileOf(reader: SegmentReader, offset: LogOffset): string {
  const start = reader.segmentStart(offset)
  return `byte ${offset - start} of ${reader.directory}/${logFileName(start)}`
}

/** Decides what lies behind the last whole record; returns how many bytes were cut off. */
async function settleTail(
  files: Files,
  reader: SegmentReader,
  scan: LogScanResult,
  known: LogOffset,
  remainsMax: number,
): Promise<number> {
  const { end } = scan
  if (scan.stop === 'end-of-files') return 0
  const last = await lastWritten(reader, end, end < known ? Infinity : remainsMax)
  const laterSegments = reader.starts.filter((start) => start > end)
  const hasRemains = last > end
  // Zeros where bytes should be are a shorter log (loss, rule 3.1); other bytes are damage to what was safe.
  if (end < known && hasRemains) {
    throw new BrokerError(
      'LOG_CORRUPT',
      `the commit log is damaged at ${end} (${fileOf(reader, end)}); it was on disk up to ${known}; ${repairHint(reader.directory)}`,
      {
        facts: { offset: end, flushed: known },
      },
    )
  }
  if (!hasRemains && laterSegments.length === 0) return 0
  let cut = last
  for (const start of laterSegments) {
    const written = await lastWritten(reader, start, end < known ? Infinity : remainsMax)
    if (written === start) continue
    if (end < known && start < known) {
      throw new BrokerError(
        'LOG_CORRUPT',
        `the commit log has a hole at ${end} (${fileOf(reader, end)}); it was on disk up to ${known}; ${repairHint(reader.directory)}`,
        {
          facts: { offset: end, flushed: known },
        },
      )
    }
    cut = written
  }
  await cutLog(files, reader.directory, end, reader.limits.segmentBytes)
  return cut - end
}
