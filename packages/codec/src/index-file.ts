import { BrokerError, invariant, type LogOffset } from '@tandemmq/base'
import { INDEX_ENTRY_BYTES, decodeIndexEntry, encodeIndexEntry, type IndexEntry } from './index-entry.ts'
import { INDEX_HEADER_BYTES, decodeIndexHeader, encodeIndexHeader, type IndexHeader } from './index-header.ts'

/**
 * An index file is a hash table that is only ever appended to (RocketMQ IndexFile):
 *
 *     | header 40 | slots × i32: number of the newest entry, or 0 | entries × 20 |
 *
 * Entries of one slot are chained from new to old. Entry 0 does not exist; its place stays zero.
 */
export interface IndexGeometry {
  /** Apache: `maxHashSlotNum`, 5 000 000. */
  readonly slots: number
  /** Places for entries, the unused first included. Apache: `maxIndexNum`, 20 000 000. */
  readonly entries: number
}

const SLOT_BYTES = 4
/** Where a damaged header stops counting. */
const INT32_MAX = 0x7fffffff

export function indexFileBytes({ slots, entries }: IndexGeometry): number {
  return INDEX_HEADER_BYTES + slots * SLOT_BYTES + entries * INDEX_ENTRY_BYTES
}

/** Byte position of a slot. */
export function indexSlotAt(slot: number): number {
  return INDEX_HEADER_BYTES + slot * SLOT_BYTES
}

/** Byte position of an entry. */
export function indexEntryAt({ slots }: IndexGeometry, entry: number): number {
  return INDEX_HEADER_BYTES + slots * SLOT_BYTES + entry * INDEX_ENTRY_BYTES
}

/** A key of a record, to be put in an index. */
export interface IndexKey {
  /** See `indexKeyHash`. */
  readonly keyHash: number
  readonly offset: LogOffset
  /** ms. */
  readonly storeTimestamp: number
}

/** What putting a key changes: one entry, its slot, the header. Write them in this order. */
export interface IndexPut {
  readonly number: number
  readonly entry: IndexEntry
  readonly slot: number
  readonly header: IndexHeader
}

export function indexSlotOf({ slots }: IndexGeometry, keyHash: number): number {
  return keyHash % slots
}

/** `slotValue` is what the key's slot holds now. `undefined`: the file is full, the key belongs in the next one. */
function planIndexPut(
  header: IndexHeader,
  geometry: IndexGeometry,
  slotValue: number,
  key: IndexKey,
): IndexPut | undefined {
  const number = header.indexCount
  if (number >= geometry.entries) return undefined
  const previous = slotValue <= 0 || slotValue >= number ? 0 : slotValue
  const first = number <= 1
  return {
    number,
    entry: {
      keyHash: key.keyHash,
      offset: key.offset,
      timeDiff: indexTimeDiff(header.beginTimestamp, key.storeTimestamp),
      previous,
    },
    slot: indexSlotOf(geometry, key.keyHash),
    header: {
      beginTimestamp: first ? key.storeTimestamp : header.beginTimestamp,
      endTimestamp: key.storeTimestamp,
      beginPhyOffset: first ? key.offset : header.beginPhyOffset,
      endPhyOffset: key.offset,
      hashSlotCount: Math.min(header.hashSlotCount + (previous === 0 ? 1 : 0), INT32_MAX),
      indexCount: number + 1,
    },
  }
}

/** Puts a key into a whole file in memory. False: the file is full and unchanged. */
export function putIndexKey(file: Buffer, geometry: IndexGeometry, key: IndexKey): boolean {
  invariant(file.length === indexFileBytes(geometry), 'an index file has the length of its geometry')
  const slotAt = indexSlotAt(indexSlotOf(geometry, key.keyHash))
  const put = planIndexPut(decodeIndexHeader(file, 0), geometry, file.readInt32BE(slotAt), key)
  if (put === undefined) return false
  encodeIndexEntry(file, indexEntryAt(geometry, put.number), put.entry)
  file.writeInt32BE(put.number, slotAt)
  encodeIndexHeader(file, 0, put.header)
  return true
}

/** Where a query reads from: a file in memory ({@link indexSource}), or one read piece by piece. */
export interface IndexSource {
  readonly header: IndexHeader
  readonly geometry: IndexGeometry
  slot(slot: number): number
  entry(number: number): IndexEntry
}

/** Throws `STATE_FILE_CORRUPT` if the length is not that of `geometry`, or the header counts more entries than fit. */
export function indexSource(file: Buffer, geometry: IndexGeometry): IndexSource {
  const expected = indexFileBytes(geometry)
  if (file.length !== expected) throw misshapen({ bytes: file.length, expected })
  const header = decodeIndexHeader(file, 0)
  if (header.indexCount > geometry.entries) throw misshapen({ expected, indexCount: header.indexCount })
  return {
    header,
    geometry,
    slot: (slot) => file.readInt32BE(indexSlotAt(slot)),
    entry: (number) => decodeIndexEntry(file, indexEntryAt(geometry, number)),
  }
}

export interface IndexQuery {
  readonly keyHash: number
  /** Earliest and latest store time, ms, both included; compared in whole seconds from the file's begin. */
  readonly begin: number
  readonly end: number
  /** At most this many offsets. */
  readonly max: number
}

/**
 * Log offsets of records that may have the key, newest first. Different keys share hashes: look at the records.
 * A damaged chain ends early; it cannot be endless, since each step must go to a lower number.
 */
export function queryIndex(source: IndexSource, query: IndexQuery): LogOffset[] {
  const { indexCount, beginTimestamp } = source.header
  const found: LogOffset[] = []
  let number = source.slot(indexSlotOf(source.geometry, query.keyHash))
  if (number >= indexCount) return found
  while (number > 0 && found.length < query.max) {
    const entry = source.entry(number)
    if (entry.timeDiff < 0) break
    const storeTimestamp = beginTimestamp + entry.timeDiff * 1000
    if (storeTimestamp < query.begin) break
    if (entry.keyHash === query.keyHash && storeTimestamp <= query.end && entry.offset >= 0)
      found.push(entry.offset)
    if (entry.previous >= number) break
    number = entry.previous
  }
  return found
}

function misshapen(facts: Readonly<Record<string, number>>): BrokerError {
  return new BrokerError('STATE_FILE_CORRUPT', 'the index file has another shape than configured', { facts })
}

/** Whole seconds from a file's begin to a record's store time, as an entry keeps them: 0 where there is no begin yet. */
export function indexTimeDiff(beginTimestamp: number, storeTimestamp: number): number {
  if (beginTimestamp <= 0) return 0
  return Math.min(Math.max(0, Math.trunc((storeTimestamp - beginTimestamp) / 1000)), INT32_MAX)
}
