import type { LogOffset, OpenFile } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  decodeIndexEntry,
  decodeIndexHeader,
  freshIndexHeader,
  indexEntryAt,
  indexFileBytes,
  indexSlotAt,
  indexSlotOf,
  readIndexEntry,
  dataViewOf,
  type IndexEntry,
  type IndexGeometry,
  type IndexHeader,
} from '@tandemmq/codec'

/** Bytes read at a time. */
const BLOCK_BYTES = 51_200 * INDEX_ENTRY_BYTES
const PIECE_BYTES = 64 * 1024
const zeros = Buffer.alloc(PIECE_BYTES)

const noEntry = { keyHash: 0, offset: 0, timeDiff: 0, previous: 0 }

/** What a file's entries say. */
export interface IndexReplay {
  /** Header and slots as they follow from the entries. */
  readonly head: Buffer
  readonly header: IndexHeader
  /** The entries ended where the header on file knows of more: they are damaged or lost. */
  readonly isDamaged: boolean
}

/** The store time of the record at an offset, ms; `undefined` if none can be read there. */
export type StoreTimeAt = (offset: LogOffset) => number | undefined

/**
 * Makes header and slots again from the entries of records below `limit`, which are a prefix; what follows is cut off.
 * Entries are believed as long as each is what putting its key would have made of it.
 */
export async function replayIndexFile(
  file: OpenFile,
  geometry: IndexGeometry,
  limit: LogOffset,
  storeTimeAt: StoreTimeAt,
): Promise<IndexReplay> {
  const onFile = decodeIndexHeader(readAt(file, 0, INDEX_HEADER_BYTES), 0)
  const head = Buffer.alloc(indexSlotAt(geometry.slots))
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, geometry.entries * INDEX_ENTRY_BYTES))
  const [headView, blockView] = [dataViewOf(head), dataViewOf(block)]
  let first: IndexEntry | undefined
  const entry = { ...noEntry }
  const last = { ...noEntry }
  let slotsUsed = 0
  let count = 1
  let isLimit = false
  for (let isOver = false; !isOver && count < geometry.entries;) {
    const read = await file.readLater(block, indexEntryAt(geometry, count))
    const inBlock = Math.min(Math.floor(read / INDEX_ENTRY_BYTES), geometry.entries - count)
    if (inBlock === 0) break
    for (let n = 0; n < inBlock; n += 1) {
      readIndexEntry(entry, blockView, n * INDEX_ENTRY_BYTES)
      const slotAt = indexSlotAt(indexSlotOf(geometry, Math.max(0, entry.keyHash)))
      const slot = headView.getInt32(slotAt)
      isLimit = entry.offset >= limit
      isOver = isLimit || isNone(entry) || !follows(entry, last.offset, slot)
      if (isOver) break
      if (slot === 0) slotsUsed += 1
      headView.setInt32(slotAt, count)
      first ??= { ...entry }
      last.offset = entry.offset
      last.timeDiff = entry.timeDiff
      count += 1
    }
  }
  cutFile(file, geometry, count)
  const isDamaged = !isLimit && count < Math.min(onFile.indexCount, geometry.entries)
  const header = { ...headerFor(first, last, onFile, count, storeTimeAt), hashSlotCount: slotsUsed }
  return { head, header, isDamaged }
}

/** What the header on file says of the same entries is believed; what it does not say, the log does. */
function headerFor(
  first: IndexEntry | undefined,
  last: IndexEntry,
  onFile: IndexHeader,
  indexCount: number,
  storeTimeAt: StoreTimeAt,
): IndexHeader {
  if (first === undefined) return freshIndexHeader
  const isBegin = onFile.beginPhyOffset === first.offset && onFile.beginTimestamp > 0
  const beginTimestamp = isBegin ? onFile.beginTimestamp : (storeTimeAt(first.offset) ?? 0)
  const isEnd = onFile.endPhyOffset === last.offset && onFile.indexCount === indexCount
  const endOnFile = isEnd ? onFile.endTimestamp : beginTimestamp + last.timeDiff * 1000
  return {
    ...freshIndexHeader,
    beginTimestamp,
    endTimestamp: storeTimeAt(last.offset) ?? endOnFile,
    beginPhyOffset: first.offset,
    endPhyOffset: last.offset,
    indexCount,
  }
}

/** Header and slots of a file that was left in order; `undefined` if they cannot be. */
export function readIndexHead(file: OpenFile, geometry: IndexGeometry): Buffer | undefined {
  const { indexCount, hashSlotCount, endPhyOffset } = readIndexHeader(file)
  if (indexCount < 2 || indexCount > geometry.entries) return undefined
  const head = Buffer.alloc(indexSlotAt(geometry.slots))
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  let used = 0
  for (let position = indexSlotAt(0); position < head.length; position += PIECE_BYTES) {
    const bytes = piece.subarray(0, Math.min(PIECE_BYTES, head.length - position)).fill(0)
    file.read(bytes, position)
    // Most of a young file is holes: they cost no memory here either.
    if (zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0) continue
    for (let at = 0; at < bytes.length; at += 4) {
      const slot = bytes.readInt32BE(at)
      if (slot < 0 || slot >= indexCount) return undefined
      if (slot > 0) used += 1
    }
    bytes.copy(head, position)
  }
  const last = entryOnFile(file, geometry, indexCount - 1)
  return used === hashSlotCount && last.offset === endPhyOffset ? head : undefined
}

/** How many of the last entries belong to the record at `offset`. */
export function trailingEntries(
  file: OpenFile,
  geometry: IndexGeometry,
  count: number,
  offset: LogOffset,
): number {
  let found = 0
  while (count - 1 - found >= 1 && entryOnFile(file, geometry, count - 1 - found).offset === offset)
    found += 1
  return found
}

function entryOnFile(file: OpenFile, geometry: IndexGeometry, number: number): IndexEntry {
  return decodeIndexEntry(readAt(file, indexEntryAt(geometry, number), INDEX_ENTRY_BYTES), 0)
}

export function readIndexHeader(file: OpenFile): IndexHeader {
  return decodeIndexHeader(readAt(file, 0, INDEX_HEADER_BYTES), 0)
}

/** What a file lacks reads as zeros. */
function readAt(file: OpenFile, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  file.read(bytes, position)
  return bytes
}

function isNone(entry: IndexEntry): boolean {
  return entry.offset === 0 && entry.keyHash === 0 && entry.timeDiff === 0 && entry.previous === 0
}

function follows(entry: IndexEntry, before: LogOffset, slot: number): boolean {
  const { keyHash, offset, timeDiff, previous } = entry
  return keyHash >= 0 && timeDiff >= 0 && previous === slot && offset >= before
}

/** Entries from `count` on read as zeros, and the file has its full length. */
function cutFile(file: OpenFile, geometry: IndexGeometry, count: number): void {
  const at = indexEntryAt(geometry, count)
  if (file.size() > at) file.truncate(at)
  file.truncate(indexFileBytes(geometry))
}
