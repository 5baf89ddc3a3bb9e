import { BrokerError } from '@tandemmq/base'
import { readInt64, writeInt64 } from './int64.ts'

/** How far the parts of a store had come (RocketMQ StoreCheckpoint): six i64, the rest of 4096 bytes zero. */
export interface Checkpoint {
  /** Store time of the last flushed record, ms. */
  readonly physicMsgTimestamp: number
  /** Store time of the last record put in consume queues, ms. */
  readonly logicsMsgTimestamp: number
  /** End time of the last sealed index file, ms. */
  readonly indexMsgTimestamp: number
  /** A slave's knowledge of what its master had flushed. */
  readonly masterFlushedOffset: number
  readonly confirmPhyOffset: number
  /** Log offset of the last record put in consume queues; 0 before Apache 5.5. */
  readonly logicsPhysicalOffset: number
}

export const CHECKPOINT_BYTES = 4096

const FIELDS_BYTES = 48
/** How much older than the checkpoint a record may be and still not be on disk, ms. */
const SAFETY_MS = 3000

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const bytes = Buffer.alloc(CHECKPOINT_BYTES)
  writeInt64(bytes, 0, checkpoint.physicMsgTimestamp)
  writeInt64(bytes, 8, checkpoint.logicsMsgTimestamp)
  writeInt64(bytes, 16, checkpoint.indexMsgTimestamp)
  writeInt64(bytes, 24, checkpoint.masterFlushedOffset)
  writeInt64(bytes, 32, checkpoint.confirmPhyOffset)
  writeInt64(bytes, 40, checkpoint.logicsPhysicalOffset)
  return bytes
}

/** Throws `STATE_FILE_CORRUPT` if the file is too short for the fields. Bytes behind them are ignored. */
export function decodeCheckpoint(source: Buffer): Checkpoint {
  if (source.length < FIELDS_BYTES) {
    throw new BrokerError('STATE_FILE_CORRUPT', 'the checkpoint is too short', {
      facts: { bytes: source.length },
    })
  }
  return {
    physicMsgTimestamp: readInt64(source, 0),
    logicsMsgTimestamp: readInt64(source, 8),
    indexMsgTimestamp: readInt64(source, 16),
    masterFlushedOffset: readInt64(source, 24),
    confirmPhyOffset: readInt64(source, 32),
    logicsPhysicalOffset: readInt64(source, 40),
  }
}

/** Records stored before this time (ms) are in the log and in the consume queues for certain. */
export function checkpointTimestamp(checkpoint: Checkpoint): number {
  return Math.max(0, Math.min(checkpoint.physicMsgTimestamp, checkpoint.logicsMsgTimestamp) - SAFETY_MS)
}

/** As {@link checkpointTimestamp}, and in the index. */
export function checkpointIndexTimestamp(checkpoint: Checkpoint): number {
  return Math.min(checkpointTimestamp(checkpoint), checkpoint.indexMsgTimestamp)
}
