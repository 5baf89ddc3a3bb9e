import { isNotTheContent, messageOf, readWhole, type Files, type Logger } from '@tandemmq/base'
import { decodeCheckpoint, type Checkpoint, type Lineage } from '@tandemmq/codec'
import { hasUnsyncedQueues, type Position } from './position-file.ts'

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

const noCheckpoint: Checkpoint = {
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

/** Without a position file of ours, Apache's word counts. A process of Apache's that crashed since leaves its mark. */
export function isCleanStop(evidence: StoreEvidence): boolean {
  // The mark stays where queues were left unsynced: Apache then looks for what they may lack.
  if (evidence.abortFound && !hasUnsyncedQueues(evidence.position)) return false
  if (evidence.positionFound === 'nothing') return evidence.lineage === undefined
  return evidence.positionFound === 'current' && evidence.position.cleanEnd !== undefined
}
