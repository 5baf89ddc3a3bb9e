import type { Files } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  decodeIndexEntry,
  decodeIndexHeader,
  indexEntryAt,
  indexFileBytes,
  indexKeyHash,
  indexKeysOf,
  indexSlotAt,
  indexSlotOf,
  indexTimeDiff,
  type IndexEntry,
  type IndexGeometry,
  type IndexHeader,
  type LogRecord,
} from '@tandemmq/codec'
import { checkReach } from './check-index-reach.ts'
import { note, problem, type Finding } from './finding.ts'
import { geometryOf, indexShapeOnFile } from './index-geometry.ts'
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
  const known = indexShapeOnFile(files, root)
  const stated = new Map(known === undefined ? [] : [[indexFileBytes(known), known]])
  const shapes = shapesOf(files, root, names)
  let before: { readonly path: string; readonly header: IndexHeader; readonly end: number } | undefined
  for (const [position, name] of names.toSorted().entries()) {
    const path = `index/${name}`
    summary.files += 1
    const length = lengthOf(files, `${root}/${path}`)
    const geometry = stated.get(length) ?? geometryOf(files, `${root}/${path}`) ?? shapes.get(length)
    if (geometry === undefined) {
      const what = 'the header and the entries do not belong together: no number of slots makes sense'
      yield log.isOpen ? note(path, 0, what) : problem(path, 0, what)
      before = undefined
      continue
    }
    using file = new StoredFile(files, `${root}/${path}`)
    const header = decodeIndexHeader(file.read(0, INDEX_HEADER_BYTES), 0)
    if (before !== undefined && before.header.endPhyOffset >= log.first) {
      yield* checkReach(log, before.header.endPhyOffset, header.beginPhyOffset, before.path, before.end)
    }
    before = { path, header, end: indexEntryAt(geometry, header.indexCount) }
    // A file is complete when it is full or its store was closed; before, its slots may lag behind.
    const mayLag = log.isOpen && position === names.length - 1
    yield* checkFile(file, path, geometry, log, mayLag, summary)
  }
  if (before !== undefined && !log.isOpen && before.header.endPhyOffset >= log.first) {
    yield* checkReach(log, before.header.endPhyOffset, log.end, before.path, before.end)
  }
}

/** The shapes of files that say it, by their length: a damaged one has that of its neighbours. */
function shapesOf(files: Files, root: string, names: readonly string[]): Map<number, IndexGeometry> {
  const shapes = new Map<number, IndexGeometry>()
  for (const name of names) {
    const path = `${root}/index/${name}`
    const length = lengthOf(files, path)
    const geometry = shapes.has(length) ? undefined : geometryOf(files, path)
    if (geometry !== undefined) shapes.set(length, geometry)
  }
  return shapes
}

function lengthOf(files: Files, path: string): number {
  using file = new StoredFile(files, path)
  return file.bytes
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
  if (header.indexCount > geometry.entries) {
    yield problem(
      path,
      36,
      `the header counts ${header.indexCount - 1} entries, the file has room for ${geometry.entries - 1}`,
    )
  }
  const count = Math.min(header.indexCount, geometry.entries)
  for (let number = 1; number < count; number += 1) {
    const at = indexEntryAt(geometry, number)
    const inBlock = (number - 1) % BLOCK_ENTRIES
    if (inBlock === 0) block = file.read(at, Math.min(BLOCK_ENTRIES * INDEX_ENTRY_BYTES, file.bytes - at))
    const entry = decodeIndexEntry(block, inBlock * INDEX_ENTRY_BYTES)
    const where = `entry ${number}`
    if (isUnwritten(block, inBlock * INDEX_ENTRY_BYTES)) {
      yield problem(
        path,
        36,
        `the header counts ${header.indexCount - 1} entries; ${where} was never written`,
      )
      break
    }
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
    if (last === undefined && entry.offset !== header.beginPhyOffset) {
      yield problem(
        path,
        16,
        `the header begins with ${header.beginPhyOffset}, its first entry leads to ${entry.offset}`,
      )
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
    } else {
      const time = record.storeTimestamp
      const timeDiff = indexTimeDiff(header.beginTimestamp, time)
      if (number === 1 && header.beginTimestamp !== time) {
        yield problem(
          path,
          0,
          `the header begins at time ${header.beginTimestamp}, its first record is of ${time}`,
        )
      } else if (entry.timeDiff !== timeDiff) {
        yield problem(
          path,
          at + 12,
          `${where} says ${entry.timeDiff} s after the first, its record ${timeDiff} s`,
        )
      }
    }
  }
  const report = mayLag ? note : problem
  if (last !== undefined && last.offset !== header.endPhyOffset) {
    yield report(
      path,
      24,
      `the header ends with ${header.endPhyOffset}, its last entry leads to ${last.offset}`,
    )
  }
  if (
    record !== undefined &&
    record.physicalOffset === last?.offset &&
    record.storeTimestamp !== header.endTimestamp
  ) {
    yield report(
      path,
      8,
      `the header ends at time ${header.endTimestamp}, its last record is of ${record.storeTimestamp}`,
    )
  }
  const behind = indexEntryAt(geometry, header.indexCount)
  if (header.indexCount < geometry.entries && !isUnwritten(file.read(behind, INDEX_ENTRY_BYTES), 0)) {
    yield report(path, behind, `the header counts ${header.indexCount - 1} entries, another one follows`)
  }
  yield* checkSlots(file, path, slots, report)
  if (used !== header.hashSlotCount) {
    yield report(path, 32, `the header counts ${header.hashSlotCount} slots in use, there are ${used}`)
  }
}

const unwritten = Buffer.alloc(INDEX_ENTRY_BYTES)

function isUnwritten(bytes: Buffer, at: number): boolean {
  return unwritten.compare(bytes, at, at + INDEX_ENTRY_BYTES) === 0
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
