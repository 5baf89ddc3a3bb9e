import { mayPass, messageOf, type Clock, type Files, type Logger, type Timer } from '@tandemmq/base'
import { formatApacheJson, type JsonObject } from '@tandemmq/codec'
import type { ConfigDocument } from './config-document.ts'
import { ConfigFile, digestOf } from './config-file.ts'
import { delayMapping, groupsMapping, progressMapping, topicsMapping } from './config-mappings.ts'
import { nextDataVersion } from './data-version.ts'
import type { MetadataState } from './metadata-state.ts'
import { METADATA_KINDS, type MetadataKind } from './snapshot.ts'

/** How long changes are gathered before the file is written: Apache's periods, and a moment for what it writes at once. */
const DELAYS_MS: Readonly<Record<MetadataKind, number>> = {
  topics: 100,
  groups: 100,
  progress: 5_000,
  delay: 10_000,
}
/** Apache moves the version of a file every so many changes. */
const CHANGES_PER_VERSION: Readonly<Record<MetadataKind, number>> = {
  topics: 1,
  groups: 1,
  progress: 500,
  delay: 200,
}
const RETRY_MS = 5_000

const MAPPINGS: Readonly<
  Record<MetadataKind, { file: string; write(state: MetadataState, document: ConfigDocument): JsonObject }>
> = { topics: topicsMapping, groups: groupsMapping, progress: progressMapping, delay: delayMapping }

interface Slot {
  readonly kind: MetadataKind
  readonly file: ConfigFile
  document: ConfigDocument
  changes: number
  isDirty: boolean
  /** What lies under the file's name is damaged, or nothing. */
  isDamaged: boolean
  timer: Timer | undefined
  /** The write in progress, or the last one. */
  writing: Promise<void>
}

export interface ConfigWriterPorts {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
  /** Makes a digest durable before a file with that digest may appear. */
  announce(name: string, digest: string): Promise<void>
}

/** Keeps Apache's `config/*.json` up to date with the tables. Nothing runs while nothing changes. */
export class ConfigWriter {
  readonly #state: MetadataState
  readonly #ports: ConfigWriterPorts
  readonly #slots: ReadonlyMap<MetadataKind, Slot>
  #isClosed = false

  constructor(
    root: string,
    state: MetadataState,
    documents: Readonly<Record<MetadataKind, ConfigDocument>>,
    ports: ConfigWriterPorts,
  ) {
    this.#state = state
    this.#ports = ports
    this.#slots = new Map(
      METADATA_KINDS.map((kind) => [
        kind,
        {
          kind,
          file: new ConfigFile(`${root}/config`, MAPPINGS[kind].file, ports.files, ports.logger),
          document: documents[kind],
          changes: 0,
          isDirty: false,
          isDamaged: false,
          timer: undefined,
          writing: Promise.resolve(),
        },
      ]),
    )
  }

  /** Finds out which files do not say what the tables say, after a crash for instance. */
  compare(digests: ReadonlyMap<MetadataKind, string>): void {
    for (const slot of this.#slots.values()) {
      slot.isDamaged = !digests.has(slot.kind)
      if (digests.get(slot.kind) !== digestOf(this.#textOf(slot))) this.changed(slot.kind)
    }
  }

  /** Something of this kind has changed. */
  changed(kind: MetadataKind): void {
    const slot = this.#slots.get(kind)
    if (slot === undefined) return
    slot.changes++
    slot.isDirty = true
    this.#arm(slot, DELAYS_MS[kind])
  }

  /** Writes what is dirty now. Rejects if a file could not be written; it stays dirty and is tried again. */
  async persist(): Promise<void> {
    const writes = [...this.#slots.values()].filter((slot) => slot.isDirty).map((slot) => this.#write(slot))
    await Promise.all([...writes, ...[...this.#slots.values()].map((slot) => slot.writing)])
  }

  async close(): Promise<void> {
    this.#isClosed = true
    try {
      await this.persist()
    } finally {
      for (const slot of this.#slots.values()) slot.timer?.cancel()
    }
  }

  #arm(slot: Slot, delayMs: number): void {
    if (this.#isClosed) return
    slot.timer ??= this.#ports.clock.after(delayMs, () => {
      slot.timer = undefined
      this.#write(slot).catch(() => this.#arm(slot, RETRY_MS))
    })
  }

  /** One after another. */
  #write(slot: Slot): Promise<void> {
    slot.timer?.cancel()
    slot.timer = undefined
    const write = slot.writing.then(() => this.#writeNow(slot))
    slot.writing = write.catch(() => undefined)
    return write
  }

  async #writeNow(slot: Slot): Promise<void> {
    if (!slot.isDirty) return
    slot.isDirty = false
    const { changes } = slot
    try {
      if (changes >= CHANGES_PER_VERSION[slot.kind]) {
        slot.document = {
          ...slot.document,
          version: nextDataVersion(slot.document.version, this.#ports.clock.now()),
        }
        slot.changes = 0
      }
      const text = this.#textOf(slot)
      await slot.file.write(text, slot.isDamaged, () => this.#ports.announce(slot.file.name, digestOf(text)))
      slot.isDamaged = false
    } catch (cause) {
      slot.isDirty = true
      // What passes is tried again.
      this.#ports.logger[mayPass(cause) ? 'warn' : 'error'](
        { file: slot.file.name, why: messageOf(cause) },
        'a config file could not be written',
      )
      throw cause
    }
  }

  #textOf(slot: Slot): string {
    return formatApacheJson(MAPPINGS[slot.kind].write(this.#state, slot.document))
  }
}
