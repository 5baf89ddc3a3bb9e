import {
  BrokerError,
  Frontier,
  messageOf,
  type Clock,
  type Files,
  type Logger,
  type OpenFile,
  type Timer,
} from '@tandemmq/base'
import { encodeJournalRecord } from '@tandemmq/codec'
import { JOURNAL_TAGS } from './journal-tags.ts'

export interface JournalOptions {
  /** Exists, and durably so. */
  readonly directory: string
  /** How long a record may wait before it is synced; with the sync itself this stays below 200 ms (rule 5.1). */
  readonly syncDelayMs: number
  /** The journal is rewritten once it is longer than this and twice its last snapshot. */
  readonly compactBytes: number
  /** From here on the journal is full. */
  readonly limitBytes: number
}

export interface JournalPorts {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
}

export interface JournalEntry {
  readonly tag: number
  readonly payload: Buffer
}

export const JOURNAL_FILE = 'progress.journal'
const EMPTY = Buffer.alloc(0)

/** A file under construction or in use. */
interface Target {
  readonly file: OpenFile
  end: number
  /** Certainly on disk. */
  synced: number
}

/**
 * An append-only file of what happened since the snapshot it begins with. A record is written before `append` returns
 * (it survives the process) and synced soon after (it survives the machine). When it has grown, a new file with a
 * fresh snapshot replaces it in one rename.
 */
export class Journal {
  readonly #options: JournalOptions
  readonly #ports: JournalPorts
  readonly #path: string
  readonly #snapshot: () => Iterable<JournalEntry>
  /** Counts bytes appended in the life of this object, over all files. */
  readonly #durable = new Frontier(0)
  #appended = 0
  #current: Target
  /** The file that will replace the current one; gets every record as well. */
  #next: Target | undefined
  #compactAt: number
  #timer: Timer | undefined
  #working: Promise<void> | undefined
  #failure: BrokerError | undefined

  private constructor(
    options: JournalOptions,
    ports: JournalPorts,
    snapshot: () => Iterable<JournalEntry>,
    first: Target,
  ) {
    this.#options = options
    this.#ports = ports
    this.#path = `${options.directory}/${JOURNAL_FILE}`
    this.#snapshot = snapshot
    this.#current = first
    this.#compactAt = Math.max(options.compactBytes, 2 * first.end)
  }

  /** Replaces whatever journal is there by one that begins with `snapshot()`, which is asked again at every compaction. */
  static async create(
    options: JournalOptions,
    ports: JournalPorts,
    snapshot: () => Iterable<JournalEntry>,
  ): Promise<Journal> {
    const { files } = ports
    const target = begin(`${options.directory}/${JOURNAL_FILE}`, files, snapshot())
    try {
      await target.file.dataSync()
      target.synced = target.end
      files.rename(target.file.path, `${options.directory}/${JOURNAL_FILE}`)
      await files.syncDirectory(options.directory)
    } catch (cause) {
      target.file.close()
      throw cause
    }
    return new Journal(options, ports, snapshot, target)
  }

  /** Length of the file, bytes. */
  get size(): number {
    return this.#current.end
  }

  /** Why nothing is written any more. */
  get failure(): BrokerError | undefined {
    return this.#failure
  }

  /** Nothing new may be handed out, acknowledgements are still taken (rule 5.1). */
  get isFull(): boolean {
    return this.#current.end >= this.#options.limitBytes
  }

  /**
   * Writes one record. Throws `DISK_FULL` (nothing was written, try again later) or, after a failure that may have lost
   * what was promised, `LOG_FENCED` for good.
   */
  append(tag: number, payload: Buffer): void {
    if (this.#failure) throw this.#failure
    const size = this.#write(tag, payload)
    this.#writeNext(tag, payload)
    this.#appended += size
    if (this.#current.end >= this.#compactAt) this.#work()
    else this.#timer ??= this.#ports.clock.after(this.#options.syncDelayMs, () => this.#work())
  }

  /** Resolves once everything appended so far is on disk. Rejects with `LOG_FENCED`. */
  synced(): Promise<void> {
    const reached = this.#durable.reached(this.#appended)
    if (this.#durable.at < this.#appended) this.#work()
    return reached
  }

  /** Syncs and leaves a witness, so that damage to any promised byte is noticed at the next start. */
  async close(): Promise<void> {
    try {
      if (!this.#failure) {
        await this.synced()
        this.append(JOURNAL_TAGS.witness, EMPTY)
        await this.synced()
      }
    } finally {
      this.#timer?.cancel()
      this.#timer = undefined
      await this.#working
      this.#current.file.close()
    }
  }

  #write(tag: number, payload: Buffer): number {
    const { file, end, synced } = this.#current
    const bytes = encodeJournalRecord({ tag, durable: synced, payload })
    try {
      file.write(bytes, end)
    } catch (cause) {
      throw this.#writeFailed(cause)
    }
    this.#current.end += bytes.length
    return bytes.length
  }

  #writeNext(tag: number, payload: Buffer): void {
    const next = this.#next
    if (next === undefined) return
    const bytes = encodeJournalRecord({ tag, durable: 0, payload })
    try {
      next.file.write(bytes, next.end)
      next.end += bytes.length
    } catch (cause) {
      this.#abandon(cause)
    }
  }

  #writeFailed(cause: unknown): BrokerError {
    const { file, end } = this.#current
    try {
      // Half a record must not stay: a shorter one written over it would leave the rest behind.
      file.truncate(end)
    } catch (again) {
      return this.#fence(again)
    }
    if (codeOf(cause) !== 'ENOSPC' && codeOf(cause) !== 'EDQUOT') return this.#fence(cause)
    return new BrokerError('DISK_FULL', 'the disk is full: progress cannot be recorded', { cause })
  }

  #work(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#working ??= this.#syncAndCompact().finally(() => {
      this.#working = undefined
    })
  }

  async #syncAndCompact(): Promise<void> {
    // Whoever appends applies the change right afterwards: a snapshot in between would lack it.
    await Promise.resolve()
    while (!this.#failure && (this.#durable.at < this.#appended || this.#current.end >= this.#compactAt)) {
      await (this.#current.end >= this.#compactAt ? this.#compact() : this.#sync())
    }
  }

  async #sync(): Promise<void> {
    const current = this.#current
    const [appended, end] = [this.#appended, current.end]
    try {
      await current.file.dataSync()
    } catch (cause) {
      this.#fence(cause)
      return
    }
    current.synced = end
    this.#durable.advance(appended)
  }

  /** While this runs nothing else syncs: what it promises is on disk in the new file before that takes the old one's name. */
  async #compact(): Promise<void> {
    const { files, logger } = this.#ports
    const started = this.#current.end
    try {
      this.#next = begin(this.#path, files, this.#snapshot())
    } catch (cause) {
      this.#abandon(cause)
      return
    }
    const next = this.#next
    const [appended, end] = [this.#appended, next.end]
    try {
      await next.file.dataSync()
    } catch (cause) {
      this.#abandon(cause)
    }
    // A record may not have fitted into the new file meanwhile, or into the current one.
    if (this.#next !== next || this.#failure) return
    try {
      files.rename(next.file.path, this.#path)
      await files.syncDirectory(this.#options.directory)
    } catch (cause) {
      this.#fence(cause)
      return
    }
    this.#current.file.close()
    next.synced = end
    this.#current = next
    this.#next = undefined
    this.#compactAt = Math.max(this.#options.compactBytes, 2 * end)
    this.#durable.advance(Math.max(appended, this.#durable.at))
    logger.debug({ before: started, after: end }, 'the journal was compacted')
  }

  /** The current file goes on; tried again when it has grown once more. */
  #abandon(cause: unknown): void {
    this.#ports.logger.warn({ why: messageOf(cause) }, 'the journal could not be compacted')
    if (this.#next !== undefined) discard(this.#next.file, this.#ports.files)
    this.#next = undefined
    this.#compactAt = this.#current.end + this.#options.compactBytes
  }

  /** What was promised may be lost: nothing is promised any more. */
  #fence(cause: unknown): BrokerError {
    if (this.#failure) return this.#failure
    this.#ports.logger.error({ why: messageOf(cause) }, 'the journal is fenced until a restart')
    this.#failure = new BrokerError('LOG_FENCED', `the journal ${this.#path} could not be written`, {
      cause,
    })
    this.#durable.fail(this.#failure)
    return this.#failure
  }
}

/** Writes a new file beside `path`. */
function begin(path: string, files: Files, snapshot: Iterable<JournalEntry>): Target {
  const temporary = `${path}.tmp`
  files.remove(temporary)
  const file = files.open(temporary, 'create')
  let end = 0
  try {
    for (const { tag, payload } of snapshot) {
      const bytes = encodeJournalRecord({ tag, durable: 0, payload })
      file.write(bytes, end)
      end += bytes.length
    }
    const bytes = encodeJournalRecord({ tag: JOURNAL_TAGS.snapshotEnd, durable: end, payload: EMPTY })
    file.write(bytes, end)
    end += bytes.length
  } catch (cause) {
    discard(file, files)
    throw cause
  }
  return { file, end, synced: 0 }
}

/** Half a file would only take room, of which there may be none. */
function discard(file: OpenFile, files: Files): void {
  file.close()
  files.remove(file.path)
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}
