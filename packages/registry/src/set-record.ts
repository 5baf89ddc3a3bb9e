import {
  BrokerError,
  messageOf,
  readStateFile,
  replaceStateFile,
  type Files,
  type Logger,
  type StateFile,
} from '@tandemmq/base'
import { CheckedFields, decodeChecked, encodeChecked } from '@tandemmq/codec'
import { decodeAppointment, type Appointment } from './appointment.ts'

/** What must outlive the registry about one set: without it a master that was deposed would be taken for the master again. */
export interface SetRecord {
  readonly set: string
  /** The highest log epoch that any member has named. */
  readonly logEpoch: number
  /** Absent: its master is the one that is configured so. */
  readonly appointment?: Appointment
}

/** Where set records are kept. */
export interface SetRecords {
  readonly all: readonly SetRecord[]
  /** Takes effect in `all` at once; resolves once it is durable. Whatever is written later has it too, even if this write failed. */
  put(record: SetRecord): Promise<void>
}

const TITLE = 'TandemMQ registry 1'

/** For a registry in the process of its only brokers, and for tests: nothing is kept. */
export class SetRecordsInMemory implements SetRecords {
  readonly #records = new Map<string, SetRecord>()

  get all(): readonly SetRecord[] {
    return [...this.#records.values()]
  }

  put(record: SetRecord): Promise<void> {
    this.#records.set(record.set, record)
    return Promise.resolve()
  }
}

/** Set records in one state file, replaced at each change; one replacement at a time, and later changes ride on the next one. */
export class SetRecordsFile implements SetRecords {
  readonly #files: Files
  readonly #path: string
  readonly #records: Map<string, SetRecord>
  #isDamaged: boolean
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  private constructor(files: Files, path: string, records: readonly SetRecord[], isDamaged: boolean) {
    this.#files = files
    this.#path = path
    this.#records = new Map(records.map((record) => [record.set, record]))
    this.#isDamaged = isDamaged
  }

  /**
   * The records in `root`, which exists. Throws `STATE_FILE_CORRUPT` when no version can be read: who is the master is not known then, and to guess could
   * make two.
   */
  static open(files: Files, root: string, logger: Logger): SetRecordsFile {
    const path = `${root}/registry`
    const read = readRecords(files, path)
    if (read?.isStale === true) {
      logger.warn({ path }, 'the newest record of the broker sets was damaged; the one before it is used')
    }
    return new SetRecordsFile(files, path, read?.value ?? [], read?.isStale ?? false)
  }

  get all(): readonly SetRecord[] {
    return [...this.#records.values()]
  }

  put(record: SetRecord): Promise<void> {
    this.#records.set(record.set, record)
    this.#next ??= this.#replaceAfter(this.#running)
    return this.#next
  }

  async #replaceAfter(running: Promise<void> | undefined): Promise<void> {
    if (running !== undefined) await Promise.allSettled([running])
    else await Promise.resolve() // What changes in this turn is written once.
    this.#running = this.#next
    this.#next = undefined
    try {
      const content = encodeChecked(TITLE, { sets: this.all })
      await replaceStateFile(this.#files, this.#path, content, this.#isDamaged)
    } catch (cause) {
      throw new BrokerError('UNAVAILABLE', `${this.#path} cannot be written: ${messageOf(cause)}`, { cause })
    }
    this.#isDamaged = false
  }
}

function readRecords(files: Files, path: string): StateFile<readonly SetRecord[]> | undefined {
  try {
    return readStateFile(files, path, decode)
  } catch (cause) {
    if (!(cause instanceof BrokerError) || cause.code !== 'STATE_FILE_CORRUPT') throw cause
    throw new BrokerError(
      'STATE_FILE_CORRUPT',
      `${cause.message}; so who is the master of which set is not known: bring one of the two back, or, once all brokers run, move both away, and the brokers tell it again`,
      { facts: cause.facts, cause },
    )
  }
}

function decode(content: Buffer): readonly SetRecord[] {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  return fields.list('sets').map((item) => {
    const record = new CheckedFields(TITLE, item)
    const appointment = record.optional('appointment')
    return {
      set: record.text('set'),
      logEpoch: record.position('logEpoch'),
      ...(appointment !== undefined && {
        appointment: decodeAppointment(new CheckedFields(TITLE, appointment)),
      }),
    }
  })
}
