import type { Clock, LogOffset } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  decodeIndexEntry,
  indexEntryAt,
  indexSlotAt,
  indexSlotOf,
  type IndexEntry,
  type IndexGeometry,
  type IndexHeader,
} from '@tandemmq/codec'

/** One index file as a search sees it. */
export interface SearchedIndex {
  readonly header: IndexHeader
  readonly geometry: IndexGeometry
  /** Number of the newest entry of a slot, when that is in memory. */
  slot?(slot: number): number
  /** An entry that is in memory only. */
  pendingEntry?(number: number): IndexEntry | undefined
  /** Reads the file, in this turn. */
  read(target: Buffer, position: number): void
}

export interface IndexRange {
  readonly keyHash: number
  /** Store time, ms, both included. An entry knows whole seconds only: what is found may lie up to 1 s beside. */
  readonly begin: number
  readonly end: number
}

/** Entries read at a time: those of a key that many records have lie close together. */
const BLOCK_ENTRIES = 512
/** Reads after which others get their turn. */
const READS_PER_TURN = 32

/**
 * Offsets of records that may have the key, newest first. Different keys share hashes: look at the records. A damaged
 * chain ends early; it cannot be endless, since each step goes to a lower number.
 */
export async function* searchIndex(
  index: SearchedIndex,
  { keyHash, begin, end }: IndexRange,
  clock: Clock,
): AsyncGenerator<LogOffset> {
  const { header, geometry } = index
  if (header.indexCount <= 1 || header.beginTimestamp > end || header.endTimestamp < begin) return
  const slot = indexSlotOf(geometry, keyHash)
  let number = index.slot?.(slot) ?? slotOnFile(index, slot)
  if (number >= header.indexCount) return
  const block = Buffer.allocUnsafe(Math.min(BLOCK_ENTRIES, number) * INDEX_ENTRY_BYTES)
  let blockFrom = 0
  let blockTo = 0
  let reads = 0
  while (number > 0) {
    let entry = index.pendingEntry?.(number)
    if (entry === undefined) {
      if (number < blockFrom || number >= blockTo) {
        reads += 1
        if (reads % READS_PER_TURN === 0) await nextTurn(clock)
        blockTo = number + 1
        blockFrom = Math.max(1, blockTo - BLOCK_ENTRIES)
        block.fill(0)
        index.read(
          block.subarray(0, (blockTo - blockFrom) * INDEX_ENTRY_BYTES),
          indexEntryAt(geometry, blockFrom),
        )
      }
      entry = decodeIndexEntry(block, (number - blockFrom) * INDEX_ENTRY_BYTES)
    }
    const { timeDiff, offset, previous } = entry
    const storeTimestamp = header.beginTimestamp + timeDiff * 1000
    if (timeDiff < 0 || storeTimestamp + 1000 <= begin) return
    if (entry.keyHash === keyHash && storeTimestamp <= end && offset >= 0) yield offset
    if (previous >= number) return
    number = previous
  }
}

function slotOnFile(index: SearchedIndex, slot: number): number {
  const bytes = Buffer.alloc(4)
  index.read(bytes, indexSlotAt(slot))
  return bytes.readInt32BE(0)
}

function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, resolve)
  })
}
