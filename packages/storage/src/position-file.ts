import { CheckedFields, decodeChecked, encodeChecked } from '@tandemmq/codec'
import { readStateFile, readWhole, replaceStateFile, type Files, type LogOffset } from '@tandemmq/base'

/** What must be known of a log before a byte of it is believed (rule 1.5). Positions are at record boundaries. */
export interface Position {
  /** 32 hex digits; `undefined` as long as the log has no lineage. */
  readonly logId: string | undefined
  /** Everything below was synced: bad bytes there are corruption, above it a torn tail. */
  readonly flushed: LogOffset
  /** Visible never falls below this. */
  readonly confirmed: LogOffset
  /** Where the log ended at the last clean stop; `undefined` while a process has the store open. */
  readonly cleanEnd: LogOffset | undefined
  /** Which boot of the machine wrote this; empty if unknown. */
  readonly bootId: string
  /** Every identity that was ever counted as a replica (rule 3.3). */
  readonly roster: readonly string[]
  /** Those of them that the operator has said to be gone for good, and that were not counted since. */
  readonly forgotten: readonly string[]
  /** The tail may be lost (rule 3.1). Stays until an epoch is opened, however often the process starts. */
  readonly lossPossible: boolean
  /** Consume queues hold, durably, every record below. */
  readonly queuesSynced: LogOffset
  /** A record boundary at or below {@link queuesSynced}, where recovery begins to read. */
  readonly scanFrom: LogOffset
  /** A cut that has begun and must be finished before anything else. */
  readonly cutTo: LogOffset | undefined
  /** Segments below have expired: those still there are removed before anything else. */
  readonly expireTo: LogOffset | undefined
  /** The first byte the log has; `undefined` as long as it has none. */
  readonly begin: LogOffset | undefined
  /** Length of the log's files; `undefined` before the first one. */
  readonly segmentBytes: number | undefined
  /** Whose store this is; each `undefined` if nobody has said so yet. */
  readonly cluster: string | undefined
  readonly set: string | undefined
  /** What its last process was: only a master's log is known to lack nothing. */
  readonly role: string | undefined
}

/** A clean stop has left consume queues to the file system: true as long as the machine runs, built again if its power fails. */
export function hasUnsyncedQueues({ cleanEnd, queuesSynced }: Position): boolean {
  return cleanEnd !== undefined && queuesSynced < cleanEnd
}

const TITLE = 'TandemMQ position 1'

export const noPosition: Position = {
  logId: undefined,
  flushed: 0,
  confirmed: 0,
  cleanEnd: undefined,
  bootId: '',
  roster: [],
  forgotten: [],
  lossPossible: false,
  queuesSynced: 0,
  scanFrom: 0,
  cutTo: undefined,
  expireTo: undefined,
  begin: undefined,
  segmentBytes: undefined,
  cluster: undefined,
  set: undefined,
  role: undefined,
}

/** Where the log was known to end at least: flushed, or at the last clean stop. */
export function endOnFile({ flushed, cleanEnd }: Position): LogOffset {
  return Math.max(flushed, cleanEnd ?? 0)
}

/**
 * The position of a log that is to be cut at `offset`, which lies in the segment from `segmentStart` on. At `minOffset`
 * nothing remains, and the log begins anew. Claims less than is true: recovery after the cut finds out the rest.
 */
export function positionCutAt(
  position: Position,
  offset: LogOffset,
  minOffset: LogOffset,
  segmentStart: LogOffset,
): Partial<Position> {
  const known = position.scanFrom <= offset ? position.scanFrom : Math.max(minOffset, segmentStart)
  const scanFrom = offset === minOffset ? 0 : known
  const confirmed = offset === minOffset ? 0 : Math.min(position.confirmed, offset)
  return {
    cutTo: offset,
    begin: offset === minOffset ? undefined : position.begin,
    cleanEnd: undefined,
    scanFrom,
    confirmed,
    flushed: Math.min(position.flushed, scanFrom),
    queuesSynced: Math.min(position.queuesSynced, offset === minOffset ? 0 : offset),
  }
}

/** The position file, kept in memory; one replacement at a time, later changes ride on the next one. */
export class PositionFile {
  readonly #files: Files
  readonly #path: string
  #value: Position
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** The newest version was damaged; the copy before it must survive until there is a new one. */
  #isDamaged: boolean

  private constructor(files: Files, path: string, value: Position, isDamaged: boolean) {
    this.#files = files
    this.#path = path
    this.#value = value
    this.#isDamaged = isDamaged
  }

  /** `found`: `nothing`, or whether the newest version could be read (`stale`: only an older one). */
  static load(
    files: Files,
    path: string,
  ): { readonly file: PositionFile; readonly found: 'nothing' | 'current' | 'stale' } {
    const read = readStateFile(files, path, decodePosition)
    const found = read === undefined ? 'nothing' : read.isStale ? 'stale' : 'current'
    const file = new PositionFile(files, path, read?.value ?? noPosition, found === 'stale')
    return { file, found }
  }

  get value(): Position {
    return this.#value
  }

  /** Takes effect at once in memory; resolves when it is durable. */
  save(change: Partial<Position>): Promise<void> {
    this.#value = { ...this.#value, ...change }
    this.#next ??= this.#replaceAfter(this.#running)
    return this.#next
  }

  /** Makes room for a {@link save} on a disk that has none: the fallback copy goes, until there is a new one. */
  giveUpFallback(): void {
    if (!this.#isDamaged && this.#files.exists(this.#path)) this.#files.remove(`${this.#path}.bak`)
  }

  /** Changes memory only: whoever saves next writes it. */
  note(change: Partial<Position>): void {
    this.#value = { ...this.#value, ...change }
  }

  async #replaceAfter(running: Promise<void> | undefined): Promise<void> {
    if (running !== undefined) await Promise.allSettled([running])
    else await Promise.resolve() // What changes in this turn is written once.
    this.#running = this.#next
    this.#next = undefined
    await replaceStateFile(this.#files, this.#path, encodeChecked(TITLE, this.#value), this.#isDamaged)
    this.#isDamaged = false
  }
}

/** The newest position file of a store, for who looks into it from outside. Throws `STATE_FILE_CORRUPT`. */
export function readPosition(files: Files, root: string, name = 'position'): Position {
  return decodePosition(readWhole(files, `${root}/${name}`))
}

function decodePosition(content: Buffer): Position {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  return {
    logId: fields.optionalText('logId'),
    flushed: fields.position('flushed'),
    confirmed: fields.position('confirmed'),
    cleanEnd: fields.optionalPosition('cleanEnd'),
    bootId: fields.text('bootId'),
    roster: fields.list('roster').map(String),
    // Files of older versions do not have it.
    forgotten: fields.optional('forgotten') === undefined ? [] : fields.list('forgotten').map(String),
    lossPossible: fields.flag('lossPossible'),
    queuesSynced: fields.position('queuesSynced'),
    scanFrom: fields.position('scanFrom'),
    cutTo: fields.optionalPosition('cutTo'),
    expireTo: fields.optionalPosition('expireTo'),
    begin: fields.optionalPosition('begin'),
    segmentBytes: fields.optionalPosition('segmentBytes'),
    cluster: fields.optionalText('cluster'),
    set: fields.optionalText('set'),
    role: fields.optionalText('role'),
  }
}
