import type { BrokerError } from '@tandemmq/base'
import { FieldWriter } from '@tandemmq/codec'
import type { Change } from './change.ts'
import { encodeChange } from './change-encoding.ts'
import { ConfigWriter } from './config-writer.ts'
import { FileNotes } from './file-notes.ts'
import { Journal, type JournalEntry, type JournalOptions } from './journal.ts'
import { JOURNAL_TAGS } from './journal-tags.ts'
import type { MetadataState } from './metadata-state.ts'
import { restore, type RestoreOptions, type RestorePorts } from './restore.ts'
import { METADATA_KINDS, snapshotOf, type MetadataKind } from './snapshot.ts'

export interface DiskOptions extends RestoreOptions {
  readonly journal: Omit<JournalOptions, 'directory'>
}

/** What a store needs of the tables' surroundings to be written down completely. */
export interface DiskSource {
  readonly state: MetadataState
  /** Takes a change of an earlier life. */
  replay(change: Change): void
  /** Changes that wait for bytes of the log. */
  pending(): readonly Change[]
}

/** The journal, and the config files derived from it. */
export class MetadataDisk {
  readonly processEpoch: number
  readonly #journal: Journal
  readonly #writer: ConfigWriter

  private constructor(processEpoch: number, journal: Journal, writer: ConfigWriter) {
    this.processEpoch = processEpoch
    this.#journal = journal
    this.#writer = writer
  }

  /** Restores the tables and begins a new journal. Throws `STATE_FILE_CORRUPT`. */
  static async open(options: DiskOptions, ports: RestorePorts, source: DiskSource): Promise<MetadataDisk> {
    const { processEpoch, notes, documents, digests } = restore(options, ports, source.state, (change) =>
      source.replay(change),
    )
    const contents = function* (): Generator<JournalEntry> {
      yield { tag: JOURNAL_TAGS.start, payload: new FieldWriter(16).number(1, processEpoch).finish() }
      for (const payload of notes.payloads()) yield { tag: JOURNAL_TAGS.fileNote, payload }
      const snapshot = snapshotOf(source.state, ports.clock.monotonic())
      for (const kind of METADATA_KINDS) for (const change of snapshot[kind] ?? []) yield entryOf(change)
      for (const change of source.pending()) yield entryOf(change)
    }
    // A file is only as durable as the name of its directory. The root itself belongs to the store.
    for (const name of ['journal', 'config']) ports.files.makeDirectory(`${options.root}/${name}`)
    await ports.files.syncDirectory(options.root)
    const journal = await Journal.create(
      { ...options.journal, directory: `${options.root}/journal` },
      ports,
      contents,
    )
    const announce = async (name: string, digest: string): Promise<void> => {
      notes.add(name, digest)
      journal.append(JOURNAL_TAGS.fileNote, FileNotes.encode(name, digest))
      await journal.synced()
    }
    const writer = new ConfigWriter(options.root, source.state, documents, { ...ports, announce })
    writer.compare(digests)
    return new MetadataDisk(processEpoch, journal, writer)
  }

  get isFull(): boolean {
    return this.#journal.isFull
  }

  get failure(): BrokerError | undefined {
    return this.#journal.failure
  }

  get journalBytes(): number {
    return this.#journal.size
  }

  /** Before the tables are changed. Throws `DISK_FULL` or `LOG_FENCED`: then they must not be. */
  record(change: Change): void {
    const { tag, payload } = entryOf(change)
    this.#journal.append(tag, payload)
  }

  /** The tables have changed. */
  changed(kind: MetadataKind): void {
    this.#writer.changed(kind)
  }

  synced(): Promise<void> {
    return this.#journal.synced()
  }

  persist(): Promise<void> {
    return this.#writer.persist()
  }

  async close(): Promise<void> {
    try {
      await this.#writer.close()
    } finally {
      await this.#journal.close()
    }
  }
}

function entryOf(change: Change): JournalEntry {
  return { tag: JOURNAL_TAGS.change, payload: encodeChange(change) }
}
