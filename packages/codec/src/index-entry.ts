import type { LogOffset } from '@tandemmq/base'
import { readInt64, writeInt64 } from './int64.ts'

/**
 * One key of one record in an index file (RocketMQ IndexFile):
 *
 *     0             4               12                16             20
 *     | keyHash i32 | logOffset i64 | timeDiff i32 (s) | previous i32 |
 */
export interface IndexEntry {
  readonly keyHash: number
  readonly offset: LogOffset
  /** Whole seconds from the file's begin timestamp to the record's store time; 0 … 2^31 − 1. */
  readonly timeDiff: number
  /** Number of the next older entry of the same slot; 0 for none. */
  readonly previous: number
}

export const INDEX_ENTRY_BYTES = 20

export function encodeIndexEntry(target: Buffer, at: number, entry: IndexEntry): number {
  target.writeInt32BE(entry.keyHash, at)
  writeInt64(target, at + 4, entry.offset)
  target.writeInt32BE(entry.timeDiff, at + 12)
  target.writeInt32BE(entry.previous, at + 16)
  return INDEX_ENTRY_BYTES
}

export function decodeIndexEntry(source: Buffer, at: number): IndexEntry {
  return {
    keyHash: source.readInt32BE(at),
    offset: readInt64(source, at + 4),
    timeDiff: source.readInt32BE(at + 12),
    previous: source.readInt32BE(at + 16),
  }
}
