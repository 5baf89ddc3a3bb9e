import { BrokerError, messageOf, type Clock, type Files, type LogOffset, type Logger } from '@tandemmq/base'
import {
  freshIndexHeader,
  succeedingIndexHeader,
  type IndexGeometry,
  type IndexHeader,
} from '@tandemmq/codec'
import { indexFileName } from './index-file-name.ts'
import { IndexFiles, type SealedIndex } from './index-files.ts'
import { IndexKeyHashes } from './index-key-hashes.ts'
import { loadIndex, type IndexTrust } from './index-loading.ts'
import { IndexNames } from './index-names.ts'
import { replayIndexFile, type StoreTimeAt } from './index-replay.ts'

import { searchIndex, type IndexRange, type SearchedIndex } from './index-search.ts'
import { IndexTable } from './index-table.ts'

/** What the index must know of a record. */
export interface IndexedRecord {
  readonly topic: string
  /** Raw text, see `decodeProperties`. */
  readonly properties: string
  readonly offset: LogOffset
  /** The master's clock, ms. */
  readonly storeTimestamp: number
}

/** Entries in memory before they are written down without waiting for the next sync. */
const PENDING_BYTES_MAX = 1024 * 1024
/** Entries in memory that cannot be written: nothing more is taken until they can. */
const STUCK_BYTES_MAX = 8 * PENDING_BYTES_MAX
/** Pieces of 64 KiB of slots written in one turn: a memory copy of this size is not felt. */
const HEAD_PIECES = 32

/**
 * Finds records by their keys (RocketMQ IndexService): a row of index files, of which the newest is being filled.
 * Written by dispatch, in memory only; files follow a little later, and are made durable together with the consume
 * queues. What a crash takes is indexed again from the log, to the same bytes.
 */
export class IndexOfKeys {
  readonly #files: IndexFiles
  readonly #names: IndexNames
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #hashes = new IndexKeyHashes()
  /** Full files, oldest first. */
  #sealed: SealedIndex[] = []
  /** Files with something in memory, oldest first; only the last one may have room. */
  #tables: IndexTable[] = []
  /** Offset of the last record that has entries; −1 if there is none. */
  #end: LogOffset = -1
  /** How many of that record's keys are there already. */
  #lastEntries = Infinity
  #failure: unknown
  #closed = false

  constructor(
    root: string,
    geometry: IndexGeometry,
    ports: { readonly files: Files; readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#files = new IndexFiles(ports.files, `${root}/index`, geometry)
    this.#names = new IndexNames(ports.files, root)
    this.#clock = ports.clock
    this.#logger = ports.logger
  }

  /**
   * Reads what is on file. Returns from which offset on records must be {@link put} at least; `undefined`: from where the
   * consume queues need them.
   */
  async load(trust: IndexTrust, storeTimeAt: StoreTimeAt): Promise<LogOffset | undefined> {
    this.#files.files.makeDirectory(this.#files.directory)
    const inventory = this.#names.load(this.#logger)
    const loaded = await loadIndex(this.#files, inventory, trust, storeTimeAt, this.#logger)
    this.#sealed = loaded.sealed
    this.#tables = loaded.live === undefined ? [] : [loaded.live]
    this.#lastEntries = loaded.lastEntries
    this.#end = this.#lastHeader()?.endPhyOffset ?? -1
    this.expire(trust.logFirst)
    return loaded.resumeAt
  }

  /** Where the newest entry leads to; `undefined` without any. */
  get newest(): { readonly offset: LogOffset; readonly storeTimestamp: number } | undefined {
    const header = this.#lastHeader()
    return header && { offset: header.endPhyOffset, storeTimestamp: header.endTimestamp }
  }

  /**
   * Makes sure that entries do not pile up in memory; call it before a batch is put. Throws what the disk says when
   * they do.
   */
  makeRoom(): void {
    const bytes = this.#pendingBytes()
    if (bytes < PENDING_BYTES_MAX && this.#tables.length < 2) return
    try {
      this.writePending(HEAD_PIECES)
    } catch (failure) {
      if (bytes >= STUCK_BYTES_MAX) throw failure
    }
  }

  /** Whether the record at `offset` may have keys that are not here. */
  lacks(offset: LogOffset): boolean {
    return offset >= this.#end
  }

  /** Adds the keys of a record, in memory. Records come in the order of the log; one that is there already is skipped. */
  put(record: IndexedRecord): void {
    const { offset, storeTimestamp } = record
    if (offset < this.#end) return
    const count = this.#hashes.take(record.topic, record.properties)
    const there = offset === this.#end ? this.#lastEntries : 0
    for (let n = there; n < count; n += 1) this.#putKey(this.#hashes.at(n), offset, storeTimestamp)
    if (count === 0) return
    this.#end = offset
    this.#lastEntries = Infinity
  }

  /** Writes entries to their files, and of full ones the slots: at most `headPiecesMax` pieces of each. True: nothing is left. */
  writePending(headPiecesMax = Infinity): boolean {
    const { files } = this.#files
    for (const table of this.#tables) {
      if (table.pendingBytes === 0) continue
      this.#files.touch(table.name)
      table.writeEntries(files)
    }
    for (;;) {
      const [table] = this.#tables
      if (table === undefined || !table.isFull) return true
      this.#files.touch(table.name)
      if (table.writeHead(files, headPiecesMax) > 0) return false
      this.#tables.shift()
      this.#sealed.push({ name: table.name, header: table.header })
    }
  }

  /**
   * Offsets of records that may have a key of this hash (see `indexKeyHash`), newest first, each once. Different keys
   * share hashes: look at the records. Throws `LOG_CLOSED` when the store is closed or cut meanwhile.
   */
  async *search(range: IndexRange): AsyncGenerator<LogOffset> {
    let before = Infinity
    const tables = this.#tables.map((table) => this.#searchedTable(table))
    const sealed = this.#sealed.map(({ name, header }) => this.#searched(name, header))
    for (const index of [...sealed, ...tables].toReversed()) {
      for await (const offset of searchIndex(index, range, this.#clock)) {
        // Apache indexes the last record of a full file again after a crash.
        if (offset < before) yield offset
        before = offset
      }
    }
  }

  /** Removes the entries of records at or behind `logEnd`. */
  async cut(logEnd: LogOffset, storeTimeAt: StoreTimeAt): Promise<void> {
    if (this.#end < logEnd) return
    this.writePending()
    const files = this.#files
    const names = [...this.#sealed.map(({ name }) => name), ...this.#tables.map(({ name }) => name)]
    this.#tables = []
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const last = name
      const replay = await files.changing(last, (file) =>
        replayIndexFile(file, files.geometry, logEnd, storeTimeAt),
      )
      if (this.#sealed.at(-1)?.name === last) this.#sealed.pop()
      if (replay.header.indexCount > 1) {
        this.#tables = [new IndexTable(files.directory, last, files.geometry, replay.header, replay.head)]
        break
      }
      files.remove(last)
    }
    this.#end = this.#lastHeader()?.endPhyOffset ?? -1
    this.#lastEntries = Infinity
  }

  /** Forgets everything, on disk too. */
  reset(): void {
    for (const name of this.#files.names()) this.#files.remove(name)
    this.#sealed = []
    this.#tables = []
    this.#end = -1
    this.#lastEntries = Infinity
  }

  /**
   * Resolves when every entry put before the call is on stable storage. A sync that failed is final: what it was to
   * save is indexed again by a restart. Returns the end time of the newest file that is full, ms (Apache:
   * indexMsgTimestamp); 0 if there is none.
   */
  async sync(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure
    // Slots in pieces: a sync in between lets others work.
    while (!this.writePending(HEAD_PIECES)) await this.#durably()
    const live = this.#tables.at(-1)
    if (live !== undefined && live.isOnFile) {
      this.#files.touch(live.name)
      live.writeHeader(this.#files.files)
    }
    const names = this.#files.names()
    const sealedUntil = this.#sealed.at(-1)?.header.endTimestamp ?? 0
    await this.#durably()
    await this.#names.save({ ...this.#files.geometry, names })
    return sealedUntil
  }

  /** Before a clean stop: slots of the file that is not full go to the file too; {@link sync} makes them durable. */
  async finish(): Promise<void> {
    while (!this.writePending(HEAD_PIECES)) await this.#durably()
    const live = this.#tables.at(-1)
    if (live === undefined) return
    this.#files.touch(live.name)
    while (live.writeHead(this.#files.files, HEAD_PIECES) > 0) await this.#durably()
  }

  close(): void {
    this.#closed = true
    this.#files.close()
  }

  async #durably(): Promise<void> {
    try {
      await this.#files.sync()
    } catch (failure) {
      this.#failure = failure
      this.#logger.error(
        { why: messageOf(failure) },
        'the index of keys could not be synced; it follows the log in memory until a restart builds it again',
      )
      throw failure
    }
  }

  #searched(name: string, header: IndexHeader): SearchedIndex {
    return {
      header,
      geometry: this.#files.geometry,
      read: (target, position) => {
        if (this.#closed) throw new BrokerError('LOG_CLOSED', 'the index was closed')
        // It has expired under the search: zeros lead nowhere, and so did the file.
        if (!this.#has(name)) return
        this.#files.reading(name).read(target, position)
      },
    }
  }

  #searchedTable(table: IndexTable): SearchedIndex {
    return {
      ...this.#searched(table.name, table.header),
      slot: (slot) => table.slot(slot),
      pendingEntry: (number) => table.pendingEntry(number),
    }
  }

  #putKey(keyHash: number, offset: LogOffset, storeTimestamp: number): void {
    const live = this.#tables.at(-1)
    if (live !== undefined && live.put(keyHash, offset, storeTimestamp)) return
    const before = this.#lastHeader()
    const header = before === undefined ? freshIndexHeader : succeedingIndexHeader(before)
    const last = live?.name ?? this.#sealed.at(-1)?.name
    const { directory, geometry } = this.#files
    const table = new IndexTable(
      directory,
      indexFileName(this.#clock.now(), last),
      geometry,
      header,
      undefined,
    )
    table.put(keyHash, offset, storeTimestamp)
    this.#tables.push(table)
  }

  /** Files that lead only below the log's begin are removed, but never the newest. */
  expire(logFirst: LogOffset): void {
    while (this.#sealed.length + this.#tables.length > 1) {
      const [oldest] = this.#sealed
      if (oldest === undefined || oldest.header.endPhyOffset >= logFirst) return
      this.#files.remove(oldest.name)
      this.#sealed.shift()
    }
  }

  #has(name: string): boolean {
    return (
      this.#sealed.some((file) => file.name === name) || this.#tables.some((table) => table.name === name)
    )
  }

  #lastHeader(): IndexHeader | undefined {
    return this.#tables.at(-1)?.header ?? this.#sealed.at(-1)?.header
  }

  #pendingBytes(): number {
    let bytes = 0
    for (const table of this.#tables) bytes += table.pendingBytes
    return bytes
  }
}
