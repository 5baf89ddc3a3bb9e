import type { Files } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  decodeIndexEntry,
  decodeIndexHeader,
  indexEntryAt,
  indexKeyHash,
  indexKeysOf,
  indexSlotAt,
  indexSlotOf,
  type IndexEntry,
  type IndexGeometry,
  type LogRecord,
} from '@tandemmq/codec'
import { note, problem, type Finding } from './finding.ts'
import { geometryOf } from './index-geometry.ts'
import { StoredFile } from './stored-file.ts'
import type { StoredLog } from './stored-log.ts'

export interface IndexSummary {
  files: number
  entries: number
}

/** Every entry of every index file must lead to a record with such a key, and every chain to all of its entries. */
export function* checkIndex(
  files: Files,
  root: string,
  log: StoredLog,
  summary: IndexSummary,
): Generator<Finding> {
  const names = files.list(`${root}/index`).filter((name) => /^\d{17}$/.test(name))
  for (const [position, name] of names.toSorted().entries()) {
    const path = `index/${name}`
    const geometry = geometryOf(files, `${root}/${path}`)
    summary.files += 1
    if (geometry === undefined) {
      const what = 'the header and the entries do not belong together: no number of slots makes sense'
      yield log.isOpen ? note(path, 0, what) : problem(path, 0, what)
      continue
    }
    using file = new StoredFile(files, `${root}/${path}`)
    // A file is complete when it is full or its store was closed; before, its slots may lag behind.
    const mayLag = log.isOpen && position === names.length - 1
    yield* checkFile(file, path, geometry, log, mayLag, summary)
  }
}

const BLOCK_ENTRIES = 4096

function* checkFile(
  file: StoredFile,
  path: string,
  geometry: IndexGeometry,
  log: StoredLog,
  mayLag: boolean,
  summary: IndexSummary,
): Generator<Finding> {
  const header = decodeIndexHeader(file.read(0, INDEX_HEADER_BYTES), 0)
  const slots = new Int32Array(geometry.slots)
  let used = 0
  let last: IndexEntry | undefined
  let record: LogRecord | undefined
  let block: Buffer = Buffer.alloc(0)
  for (let number = 1; number < header.indexCount; number += 1) {
    const at = indexEntryAt(geometry, number)
    const inBlock = (number - 1) % BLOCK_ENTRIES
    if (inBlock === 0) block = file.read(at, Math.min(BLOCK_ENTRIES * INDEX_ENTRY_BYTES, file.bytes - at))
    const entry = decodeIndexEntry(block, inBlock * INDEX_ENTRY_BYTES)
    const where = `entry ${number}`
    summary.entries += 1
    if (entry.keyHash < 0) {
      yield problem(path, at, `${where} has the impossible key hash ${entry.keyHash}`)
      continue
    }
    const slot = indexSlotOf(geometry, entry.keyHash)
    const newest = slots[slot] ?? 0
    if (entry.previous !== newest) {
      yield problem(
        path,
        at + 16,
        `${where} is chained to entry ${entry.previous}; the one before it in its slot is ${newest}`,
      )
    }
    if (newest === 0) used += 1
    slots[slot] = number
    if (last !== undefined && entry.offset < last.offset) {
      yield problem(path, at + 4, `${where} leads to ${entry.offset}, the entry before it to ${last.offset}`)
    }
    last = entry
    if (entry.offset < log.first) continue // Its record has expired.
    if (entry.offset >= log.end && log.isOpen) continue // Or was not, a moment later.
    if (entry.offset >= log.end) {
      yield problem(
        path,
        at + 4,
        `${where} leads to ${entry.offset}, behind the end of the log at ${log.end}`,
      )
      continue
    }
    if (record?.physicalOffset !== entry.offset) record = log.recordAt(entry.offset)
    if (record === undefined)
      yield problem(path, at + 4, `${where} leads to ${entry.offset}, where no record begins`)
    else if (
      !indexKeysOf(record.topic, record.properties).some((key) => indexKeyHash(key) === entry.keyHash)
    ) {
      yield problem(
        path,
        at,
        `${where} has key hash ${entry.keyHash}, which no key of the record at ${entry.offset} has`,
      )
    }
  }
  const report = mayLag ? note : problem
  yield* checkSlots(file, path, slots, report)
  if (used !== header.hashSlotCount) {
    yield report(path, 32, `the header counts ${header.hashSlotCount} slots in use, there are ${used}`)
  }
}

function* checkSlots(
  file: StoredFile,
  path: string,
  slots: Int32Array,
  report: typeof problem,
): Generator<Finding> {
  const pieceSlots = 16_384
  for (let from = 0; from < slots.length; from += pieceSlots) {
    const piece = file.read(indexSlotAt(from), Math.min(pieceSlots, slots.length - from) * 4)
    for (let at = 0; at < piece.length; at += 4) {
      const slot = from + at / 4
      const [found, wanted] = [piece.readInt32BE(at), slots[slot] ?? 0]
      if (found === wanted) continue
      yield report(path, indexSlotAt(slot), `slot ${slot} leads to entry ${found}; its newest is ${wanted}`)
    }
  }
}
