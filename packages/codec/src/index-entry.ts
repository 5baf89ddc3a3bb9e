import type { LogOffset } from '@tandemmq/base'
import { dataViewOf } from './data-view.ts'
import { getInt64, setInt64 } from './int64.ts'

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
  writeIndexEntry(dataViewOf(target), at, entry)
  return INDEX_ENTRY_BYTES
}

/** As {@link encodeIndexEntry}, where many are written to one place. */
export function writeIndexEntry(target: DataView, at: number, entry: IndexEntry): void {
  target.setInt32(at, entry.keyHash)
  setInt64(target, at + 4, entry.offset)
  target.setInt32(at + 12, entry.timeDiff)
  target.setInt32(at + 16, entry.previous)
}

export function decodeIndexEntry(source: Buffer, at: number): IndexEntry {
  const entry = { keyHash: 0, offset: 0, timeDiff: 0, previous: 0 }
  readIndexEntry(entry, dataViewOf(source), at)
  return entry
}

/** As {@link decodeIndexEntry}, into an object that is used again: a file has millions. */
export function readIndexEntry(
  entry: { -readonly [Field in keyof IndexEntry]: IndexEntry[Field] },
  source: DataView,
  at: number,
): void {
  entry.keyHash = source.getInt32(at)
  entry.offset = getInt64(source, at + 4)
  entry.timeDiff = source.getInt32(at + 12)
  entry.previous = source.getInt32(at + 16)
}
