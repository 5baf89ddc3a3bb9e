import {
  readStateFile,
  readWhole,
  replaceStateFile,
  BrokerError,
  type Files,
  type LogOffset,
} from '@tandemmq/base'
import {
  CheckedFields,
  decodeChecked,
  encodeChecked,
  encodeEpochFile,
  type Epoch,
  type Lineage,
} from '@tandemmq/codec'

const TITLE = 'TandemMQ epoch openers 1'

/**
 * A log's ancestry on disk (rules 1.1, 1.2): `epochOpeners`, ours, has everything and is the one that is read;
 * `epochFileCheckpoint` repeats epochs and starts in Apache's format.
 */
export class LineageFile {
  readonly #files: Files
  readonly #ownPath: string
  readonly #apachePath: string
  #value: Lineage | undefined
  /** The newest version was damaged; the copy before it must survive until there is a new one. */
  #isDamaged: boolean

  constructor(files: Files, root: string) {
    this.#files = files
    this.#ownPath = `${root}/epochOpeners`
    this.#apachePath = `${root}/epochFileCheckpoint`
    const read = readStateFile(files, this.#ownPath, decodeLineage)
    this.#value = read?.value
    this.#isDamaged = read?.isStale ?? false
  }

  /** The newest version was damaged and an older one is used: an epoch may be missing. */
  get isStale(): boolean {
    return this.#isDamaged
  }

  get value(): Lineage | undefined {
    return this.#value
  }

  /** Resolves when it is durable. Throws `ILLEGAL_ARGUMENT` for an ancestry out of order. */
  async save(lineage: Lineage): Promise<void> {
    if (!isLineage(lineage)) throw new BrokerError('ILLEGAL_ARGUMENT', 'this is no possible log lineage')
    await replaceStateFile(this.#files, this.#ownPath, encodeChecked(TITLE, lineage), this.#isDamaged)
    this.#isDamaged = false
    // An empty list is never written in Apache's format.
    if (lineage.epochs.length > 0) {
      await replaceStateFile(this.#files, this.#apachePath, Buffer.from(encodeEpochFile(lineage.epochs)))
    }
    this.#value = lineage
  }
}

/** The ancestry after the log was cut at `end`: an epoch that lost all its bytes is not part of it. */
export function lineageCutAt(lineage: Lineage, end: LogOffset): Lineage {
  return { logId: lineage.logId, epochs: lineage.epochs.filter((epoch) => epoch.start < end) }
}

/** The ancestry with one more epoch from `start` on; one that got no bytes is replaced. */
export function lineageWith(lineage: Lineage, epoch: Epoch): Lineage {
  const kept = lineage.epochs.filter((earlier) => earlier.start < epoch.start)
  return { logId: lineage.logId, epochs: [...kept, epoch] }
}

/** For who looks at a store from outside; `undefined` if there is no such file. Throws `STATE_FILE_CORRUPT`. */
export function readLineage(files: Files, root: string, name = 'epochOpeners'): Lineage | undefined {
  const path = `${root}/${name}`
  return files.exists(path) ? decodeLineage(readWhole(files, path)) : undefined
}

function isLineage(lineage: Lineage): boolean {
  const ascending = lineage.epochs.every((epoch, index) => {
    const before = lineage.epochs[index - 1]
    return before === undefined || (before.epoch < epoch.epoch && before.start < epoch.start)
  })
  const sound = lineage.epochs.every(
    ({ epoch, start, opener }) =>
      Number.isSafeInteger(epoch) &&
      epoch >= 0 &&
      Number.isSafeInteger(start) &&
      start >= 0 &&
      /^[0-9a-f]{16}$/.test(opener),
  )
  return ascending && sound && /^[0-9a-f]{32}$/.test(lineage.logId)
}

function decodeLineage(content: Buffer): Lineage {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  const epochs = fields.list('epochs').map((entry) => {
    const epoch = new CheckedFields(TITLE, entry)
    return { epoch: epoch.position('epoch'), start: epoch.position('start'), opener: epoch.text('opener') }
  })
  const lineage = { logId: fields.text('logId'), epochs }
  if (!isLineage(lineage)) throw new BrokerError('STATE_FILE_CORRUPT', 'the epochs on file are out of order')
  return lineage
}
