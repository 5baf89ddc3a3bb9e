import type { Files } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  decodeIndexHeader,
  indexFileBytes,
  type IndexGeometry,
} from '@tandemmq/codec'
import { readIndexInventory } from '@tandemmq/storage'
import { StoredFile } from './stored-file.ts'

const WINDOW_BYTES = 1024 * 1024
const apacheDefault: IndexGeometry = { slots: 5_000_000, entries: 20_000_000 }

/**
 * The shape of an index file, which says it nowhere: its first entry, which leads to the record that the header names
 * as the first, shows where the slots end. `undefined`: there is none.
 */
export function geometryOf(files: Files, path: string): IndexGeometry | undefined {
  using file = new StoredFile(files, path)
  const header = decodeIndexHeader(file.read(0, INDEX_HEADER_BYTES), 0)
  const wanted = Buffer.alloc(8)
  if (header.beginPhyOffset < 0) return undefined
  wanted.writeBigInt64BE(BigInt(header.beginPhyOffset))
  const fits = (slots: number): IndexGeometry | undefined => {
    const rest = file.bytes - INDEX_HEADER_BYTES - 4 * slots
    if (slots < 1 || rest < 2 * INDEX_ENTRY_BYTES || rest % INDEX_ENTRY_BYTES !== 0) return undefined
    const geometry = { slots, entries: rest / INDEX_ENTRY_BYTES }
    const first = INDEX_HEADER_BYTES + 4 * slots + INDEX_ENTRY_BYTES
    const zero = file.read(first - INDEX_ENTRY_BYTES, INDEX_ENTRY_BYTES)
    const entry = file.read(first, INDEX_ENTRY_BYTES)
    const isFirst =
      zero.every((byte) => byte === 0) &&
      // In a log that begins at 0 unused slots look like an entry but for the hash, which is 0 for one key in 2^31.
      entry.readInt32BE(0) !== 0 &&
      entry.subarray(4, 12).equals(wanted) &&
      entry.readInt32BE(16) === 0 &&
      header.indexCount <= geometry.entries
    if (!isFirst || header.indexCount < 2) return undefined
    const last = file.read(first + (header.indexCount - 2) * INDEX_ENTRY_BYTES, INDEX_ENTRY_BYTES)
    const end = Buffer.alloc(8)
    end.writeBigInt64BE(BigInt(header.endPhyOffset))
    return last.subarray(4, 12).equals(end) ? geometry : undefined
  }
  if (file.bytes === indexFileBytes(apacheDefault)) return fits(apacheDefault.slots) ?? apacheDefault
  for (let at = INDEX_HEADER_BYTES; at < file.bytes; at += WINDOW_BYTES) {
    const window = file.read(at, WINDOW_BYTES + INDEX_ENTRY_BYTES)
    for (let from = 0; from < WINDOW_BYTES; from += 4) {
      // The offset of an entry stands behind its hash.
      if (window.compare(wanted, 0, 8, from + 4, from + 12) !== 0) continue
      const slots = (at + from - INDEX_ENTRY_BYTES - INDEX_HEADER_BYTES) / 4
      const geometry = fits(slots)
      if (geometry !== undefined) return geometry
    }
  }
  return undefined
}

/** The shape that our list of index files states, if it can be read. */
export function indexShapeOnFile(files: Files, root: string): IndexGeometry | undefined {
  try {
    return readIndexInventory(files, root)
  } catch {
    return undefined // That is told by the check of the file itself.
  }
}
