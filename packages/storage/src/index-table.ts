import { invariant, type Files, type LogOffset, type OpenFile } from '@tandemmq/base'
import {
  INDEX_ENTRY_BYTES,
  dataViewOf,
  decodeIndexEntry,
  encodeIndexHeader,
  indexEntryAt,
  indexFileBytes,
  indexSlotAt,
  indexSlotOf,
  indexTimeDiff,
  writeIndexEntry,
  type IndexEntry,
  type IndexGeometry,
  type IndexHeader,
} from '@tandemmq/codec'

/** Room for entries at the start; grows as far as it must. */
const PENDING_BYTES_MIN = 16 * 1024
/** Slots are written in pieces of this size, those that have changed. */
const PIECE_BYTES = 64 * 1024

/**
 * An index file that is being filled. Slots and the newest entries are in memory and reach the file later: entries in
 * one piece, in order; the slots, which every key changes somewhere, only when the file is full or the store closes.
 * A start after a crash makes them again from the entries.
 *
 *     file     | header | slots      | entries 1 … | entries …    |
 *     memory   | head: as on file    |             | pending      |
 */
export class IndexTable {
  readonly path: string
  readonly name: string
  readonly geometry: IndexGeometry
  /** Header and slots in the form of the file. */
  readonly #head: Buffer
  readonly #headView: DataView
  /** Which pieces of the head differ from the file, as far as is known. */
  readonly #dirty: Uint8Array
  /** Pieces before this one are on file. */
  #headWritten = 0
  #pending: Buffer = Buffer.allocUnsafeSlow(PENDING_BYTES_MIN)
  #pendingView: DataView = dataViewOf(this.#pending)
  /** Number of the first entry that is not on file. */
  #written: number
  #isOnFile: boolean
  #count: number
  #slotsUsed: number
  #beginTimestamp: number
  #endTimestamp: number
  #beginOffset: LogOffset
  #endOffset: LogOffset
  readonly #scratch = { keyHash: 0, offset: 0, timeDiff: 0, previous: 0 }

  /**
   * `head`: header (its bytes do not matter) and slots of a file; without it the file does not exist yet.
   * `isHeadOnFile`: the slots were read from there.
   */
  constructor(
    directory: string,
    name: string,
    geometry: IndexGeometry,
    header: IndexHeader,
    head?: Buffer,
    isHeadOnFile = false,
  ) {
    this.path = `${directory}/${name}`
    this.name = name
    this.geometry = geometry
    this.#head = head ?? Buffer.alloc(indexSlotAt(geometry.slots))
    this.#headView = dataViewOf(this.#head)
    this.#isOnFile = head !== undefined
    this.#dirty = new Uint8Array(Math.ceil(this.#head.length / PIECE_BYTES))
    if (head !== undefined && !isHeadOnFile) this.#dirty.fill(1)
    this.#count = header.indexCount
    this.#written = header.indexCount
    this.#slotsUsed = header.hashSlotCount
    this.#beginTimestamp = header.beginTimestamp
    this.#endTimestamp = header.endTimestamp
    this.#beginOffset = header.beginPhyOffset
    this.#endOffset = header.endPhyOffset
  }

  get header(): IndexHeader {
    return {
      beginTimestamp: this.#beginTimestamp,
      endTimestamp: this.#endTimestamp,
      beginPhyOffset: this.#beginOffset,
      endPhyOffset: this.#endOffset,
      hashSlotCount: this.#slotsUsed,
      indexCount: this.#count,
    }
  }

  get isOnFile(): boolean {
    return this.#isOnFile
  }

  get isFull(): boolean {
    return this.#count >= this.geometry.entries
  }

  /** Bytes of entries that are not on file. */
  get pendingBytes(): number {
    return (this.#count - this.#written) * INDEX_ENTRY_BYTES
  }

  /** Puts a key (see `indexKeyHash`). False: the file is full, the key belongs in the next one. */
  put(keyHash: number, offset: LogOffset, storeTimestamp: number): boolean {
    const number = this.#count
    if (number >= this.geometry.entries) return false
    const slotAt = indexSlotAt(indexSlotOf(this.geometry, keyHash))
    const slot = this.#headView.getInt32(slotAt)
    const previous = slot <= 0 || slot >= number ? 0 : slot
    const entry = this.#scratch
    entry.keyHash = keyHash
    entry.offset = offset
    entry.timeDiff = indexTimeDiff(this.#beginTimestamp, storeTimestamp)
    entry.previous = previous
    const at = this.pendingBytes
    this.#makeRoom(at + INDEX_ENTRY_BYTES)
    writeIndexEntry(this.#pendingView, at, entry)
    this.#headView.setInt32(slotAt, number)
    this.#dirty[(slotAt / PIECE_BYTES) | 0] = 1
    if (number <= 1) {
      this.#beginTimestamp = storeTimestamp
      this.#beginOffset = offset
    }
    this.#endTimestamp = storeTimestamp
    this.#endOffset = offset
    if (previous === 0) this.#slotsUsed += 1
    this.#count = number + 1
    return true
  }

  /** Number of the newest entry of a slot; 0 for none. */
  slot(slot: number): number {
    return this.#head.readInt32BE(indexSlotAt(slot))
  }

  /** An entry that is not on file yet; `undefined` for one that is. */
  pendingEntry(number: number): IndexEntry | undefined {
    if (number < this.#written || number >= this.#count) return undefined
    return decodeIndexEntry(this.#pending, (number - this.#written) * INDEX_ENTRY_BYTES)
  }

  /** Brings the entries to the file, which is created with its first. After a failure nothing has changed. */
  writeEntries(files: Files): void {
    const bytes = this.pendingBytes
    if (bytes === 0) return
    const file = this.#open(files)
    try {
      file.write(this.#pending.subarray(0, bytes), indexEntryAt(this.geometry, this.#written))
    } finally {
      file.close()
    }
    this.#written = this.#count
    if (this.#pending.length > PENDING_BYTES_MIN && this.isFull) this.#hold(Buffer.alloc(0))
  }

  /**
   * Writes slots that have changed, up to `piecesMax` pieces, and the header with the first. Returns how many are left;
   * at 0 all is on file. Nothing may be put meanwhile.
   */
  writeHead(files: Files, piecesMax: number): number {
    invariant(this.#written === this.#count, 'slots lead to entries that are on file')
    if (this.#headWritten === 0) {
      encodeIndexHeader(this.#head, 0, this.header)
      this.#dirty[0] = 1
    }
    const file = this.#open(files)
    try {
      let left = piecesMax
      for (; left > 0 && this.#headWritten < this.#dirty.length; this.#headWritten += 1) {
        if (this.#dirty[this.#headWritten] === 0) continue
        const at = this.#headWritten * PIECE_BYTES
        file.write(this.#head.subarray(at, at + PIECE_BYTES), at)
        left -= 1
      }
    } finally {
      file.close()
    }
    return this.#dirty.length - this.#headWritten
  }

  /** Writes the header alone: what is on file is of some use to a reader from then on. */
  writeHeader(files: Files): void {
    const bytes = Buffer.alloc(indexSlotAt(0))
    encodeIndexHeader(bytes, 0, this.header)
    const file = this.#open(files)
    try {
      file.write(bytes, 0)
    } finally {
      file.close()
    }
  }

  #open(files: Files): OpenFile {
    if (this.#isOnFile) return files.open(this.path, 'read-write')
    const exists = files.exists(this.path)
    const file = files.open(this.path, exists ? 'read-write' : 'create')
    try {
      if (exists) file.truncate(0)
      file.truncate(indexFileBytes(this.geometry)) // Sparse.
    } catch (failure) {
      file.close()
      files.remove(this.path)
      throw failure
    }
    this.#isOnFile = true
    return file
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#pending.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(PENDING_BYTES_MIN, this.#pending.length * 2))
    this.#pending.copy(larger)
    this.#hold(larger)
  }

  #hold(pending: Buffer): void {
    this.#pending = pending
    this.#pendingView = dataViewOf(pending)
  }
}
