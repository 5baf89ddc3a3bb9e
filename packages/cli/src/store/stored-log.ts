import { BrokerError, type Files } from '@tandemmq/base'
import { FRAME_HEAD_BYTES, decodeRecord, scanFrame, type LogRecord } from '@tandemmq/codec'
import { readPosition, type Position } from '@tandemmq/storage'
import { note, problem, type Finding, type LogDamage } from './finding.ts'
import { nextFrame } from './next-frame.ts'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'

/** One frame of the log, or what stands where one should be. */
export type LogPiece =
  | { readonly kind: 'message'; readonly offset: number; readonly bytes: Buffer; readonly record: LogRecord }
  | { readonly kind: 'blank'; readonly offset: number; readonly size: number; readonly magic: number }
  | { readonly kind: 'finding'; readonly finding: Finding }

const WINDOW_BYTES = 1024 * 1024
const zeros = Buffer.alloc(WINDOW_BYTES)

/** The commit log of a store as it lies there: read from the first file to where nothing was written. */
export class StoredLog implements Disposable {
  readonly #files: Files
  readonly #directory: string
  /** Starts of the files, ascending. */
  readonly starts: readonly number[]
  /** Length of a file. */
  readonly segmentBytes: number
  /** A process has the store open, or did not close it: its end may be torn, and other files may know more than was read. */
  readonly isOpen: boolean
  /** It has our position file: Apache leaves behind the end what a crash left there, we do not. */
  readonly isOurs: boolean
  #end: number
  #open: { readonly start: number; readonly file: StoredFile } | undefined

  /** Throws `ILLEGAL_ARGUMENT` for a directory that holds no store. */
  constructor(files: Files, root: string) {
    this.#files = files
    this.#directory = `${root}/commitlog`
    this.isOpen = files.exists(`${root}/abort`)
    if (!files.exists(this.#directory)) {
      throw new BrokerError('ILLEGAL_ARGUMENT', `${root} is no store: it has no directory commitlog`)
    }
    this.starts = files
      .list(this.#directory)
      .map(positionOf)
      .filter((start) => start !== undefined)
      .toSorted((a, b) => a - b)
    this.isOurs = files.exists(`${root}/position`) || files.exists(`${root}/position.bak`)
    this.segmentBytes =
      positionOnFile(files, root)?.segmentBytes ??
      distanceOf(this.starts) ??
      (this.starts[0] === undefined ? 0 : this.#file(this.starts[0]).bytes)
    this.#end = this.starts.at(-1) ?? 0
  }

  get first(): number {
    return this.starts[0] ?? 0
  }

  /** Where the last whole record ends, as far as {@link pieces} has come. */
  get end(): number {
    return this.#end
  }

  startOf(offset: number): number {
    return offset - ((offset - this.first) % this.segmentBytes)
  }

  /** Path of the file that holds a log offset, below the store's directory. */
  pathOf(offset: number): string {
    return `commitlog/${nameOf(this.startOf(offset))}`
  }

  /**
   * Everything, in the order of the log. Behind a damaged place it goes on with the next sound record; in a log that was not closed, only what lies
   * below `flushed` is damage, and what lies behind may be a torn end.
   */
  *pieces(flushed = 0): Generator<LogPiece> {
    for (const [index, start] of this.starts.entries()) {
      const next = this.starts[index + 1]
      this.#end = start
      yield* this.#piecesOf(start, flushed)
      if (this.#end < start + this.segmentBytes) return
      if (next === undefined || next === start + this.segmentBytes) continue
      const lacking = start + this.segmentBytes
      const what = `the next file of the log is ${nameOf(next)}; ${nameOf(lacking)} is missing`
      const log = { from: lacking, to: next, kind: 'gap' } as const
      yield {
        kind: 'finding',
        finding: { ...problem(`commitlog/${nameOf(start)}`, this.segmentBytes, what), log },
      }
    }
  }

  /** The record at an offset; `undefined` if there is no whole one. */
  recordAt(offset: number): LogRecord | undefined {
    const start = this.startOf(offset)
    if (!Number.isSafeInteger(offset) || !this.starts.includes(start)) return undefined
    const head = this.read(offset, FRAME_HEAD_BYTES)
    const size = head.length < 4 ? 0 : head.readInt32BE(0)
    if (size <= 0 || offset + size > start + this.segmentBytes) return undefined
    const bytes = this.read(offset, size)
    if (scanFrame(bytes, 0, this.#limits, offset).kind !== 'message') return undefined
    return soundRecord(bytes)
  }

  /** Length of the blank at an offset; 0 if there is none. */
  blankAt(offset: number): number {
    const scan = scanFrame(this.read(offset, FRAME_HEAD_BYTES), 0, this.#limits)
    return scan.kind === 'blank' ? scan.size : 0
  }

  [Symbol.dispose](): void {
    this.#open?.file[Symbol.dispose]()
  }

  *#piecesOf(start: number, flushed: number): Generator<LogPiece> {
    const file = this.#file(start)
    const path = `commitlog/${nameOf(start)}`
    if (file.bytes !== this.segmentBytes) {
      const what = `the file has ${file.bytes} bytes instead of ${this.segmentBytes}`
      yield { kind: 'finding', finding: problem(path, Math.min(file.bytes, this.segmentBytes), what) }
    }
    let window: Buffer = Buffer.alloc(0)
    let windowAt = 0
    let before: number | undefined
    for (let at = 0; at < this.segmentBytes;) {
      let scan = scanFrame(window, at - windowAt, this.#limits, start + at)
      // Where a window ends in the head of a record, the next one says only how long that is: a longer one has to be read then.
      while (
        scan.kind === 'incomplete' &&
        (windowAt < at || window.length < scan.needed) &&
        windowAt + window.length < this.segmentBytes
      ) {
        windowAt = at
        window = this.read(start + at, Math.max(WINDOW_BYTES, scan.needed))
        scan = scanFrame(window, 0, this.#limits, start + at)
      }
      const from = at - windowAt
      const bytes = scan.kind === 'message' ? window.subarray(from, from + scan.size) : undefined
      const record = bytes && soundRecord(bytes)
      if (bytes !== undefined && record !== undefined) {
        yield { kind: 'message', offset: start + at, bytes, record }
        before = start + at
        at += bytes.length
        this.#end = start + at
      } else if (scan.kind === 'blank' && at + scan.size === this.segmentBytes) {
        yield { kind: 'blank', offset: start + at, size: scan.size, magic: window.readInt32BE(from + 4) }
        this.#end = start + this.segmentBytes
        return
      } else {
        const found = this.#gapAt(start, at, flushed)
        const gap = found && { ...found, ...(before === undefined ? {} : { before }) }
        const why =
          scan.kind === 'corrupt' ? scan.why : bytes === undefined ? scan.kind : 'impossible-content'
        yield* this.#findingsAt(start, at, why, gap)
        if (gap?.kind !== 'gap') return
        at = gap.to - start
        before = undefined
        this.#end = gap.to
      }
    }
  }

  /** There is no frame at `at`: damage up to the next one, bytes behind the end, or (`undefined`) nothing at all. */
  #gapAt(start: number, at: number, flushed: number): LogDamage | undefined {
    const from = start + at
    const segmentEnd = start + this.segmentBytes
    const isWrittenBehind = this.#isWrittenBehind(start)
    if (!this.isOpen || from < flushed || isWrittenBehind) {
      const read = (offset: number, length: number): Buffer => this.read(offset, length)
      const next = nextFrame(read, from + 1, segmentEnd, this.#limits)
      if (next !== undefined) return { from, to: next, kind: 'gap' }
      if (isWrittenBehind) return { from, to: segmentEnd, kind: 'gap' }
    }
    const last = this.#lastWritten(start, at)
    return last === undefined ? undefined : { from, to: start + last + 1, kind: 'tail' }
  }

  *#findingsAt(start: number, at: number, why: string, log: LogDamage | undefined): Generator<LogPiece> {
    if (log === undefined) return
    const path = `commitlog/${nameOf(start)}`
    const place = `log offset ${log.from}`
    if (log.kind === 'gap') {
      const what = `no record and no blank can be read at ${place} (${why}); the next one begins at ${log.to}`
      yield { kind: 'finding', finding: { ...problem(path, at, what), log } }
    } else if (why === 'empty') {
      const written = this.#firstWritten(start, at) ?? at
      const what = `the log ends at ${log.from}, but bytes that are not zero follow at ${start + written}, up to ${log.to}`
      yield { kind: 'finding', finding: { ...(this.isOurs ? problem : note)(path, written, what), log } }
    } else {
      const what = `no record and no blank can be read at ${place} (${why}), and none follows; ${log.to - log.from} bytes are written there`
      yield { kind: 'finding', finding: { ...problem(path, at, what), log } }
    }
  }

  /** Files may be prepared ahead; they hold zeros. */
  #isWrittenBehind(start: number): boolean {
    return this.starts.some((later) => later > start && this.#firstWritten(later, 0) !== undefined)
  }

  /** Position in the file of the first byte from `from` on that is not zero. */
  #firstWritten(start: number, from: number): number | undefined {
    for (let at = from; at < this.segmentBytes; at += WINDOW_BYTES) {
      const window = this.read(start + at, WINDOW_BYTES)
      // Files of a GiB are mostly holes.
      if (zeros.compare(window, 0, window.length, 0, window.length) !== 0) {
        return at + window.findIndex((byte) => byte !== 0)
      }
    }
    return undefined
  }

  /** As {@link #firstWritten}, the last one. */
  #lastWritten(start: number, from: number): number | undefined {
    const pieces = Math.ceil((this.segmentBytes - from) / WINDOW_BYTES)
    for (let piece = pieces - 1; piece >= 0; piece -= 1) {
      const at = from + piece * WINDOW_BYTES
      const window = this.read(start + at, WINDOW_BYTES)
      if (zeros.compare(window, 0, window.length, 0, window.length) === 0) continue
      return at + window.findLastIndex((byte) => byte !== 0)
    }
    return undefined
  }

  get #limits(): { readonly recordBytesMax: number; readonly segmentBytes: number } {
    return { recordBytesMax: this.segmentBytes, segmentBytes: this.segmentBytes }
  }

  /** Bytes as they lie there, at most up to the end of their file; zeros where a file is too short. */
  read(offset: number, length: number): Buffer {
    const start = this.startOf(offset)
    const left = start + this.segmentBytes - offset
    return this.#file(start).read(offset - start, Math.min(length, left))
  }

  #file(start: number): StoredFile {
    if (this.#open?.start !== start) {
      this.#open?.file[Symbol.dispose]()
      this.#open = { start, file: new StoredFile(this.#files, `${this.#directory}/${nameOf(start)}`) }
    }
    return this.#open.file
  }
}

/** `undefined`: there is something in it that no record has. */
function soundRecord(bytes: Buffer): LogRecord | undefined {
  try {
    return decodeRecord(bytes, 0, { checkBodyCrc: false })
  } catch (failure) {
    if (failure instanceof BrokerError && failure.code === 'LOG_CORRUPT') return undefined
    throw failure
  }
}

/** What our position file says was on disk; 0 for a store of Apache's, which does not know. */
export function flushedOnFile(files: Files, root: string): number {
  return positionOnFile(files, root)?.flushed ?? 0
}

function positionOnFile(files: Files, root: string): Position | undefined {
  try {
    return files.exists(`${root}/position`) ? readPosition(files, root) : undefined
  } catch {
    return undefined // That is told by the check of the file itself.
  }
}

/** Files follow each other without gap; where one is missing, others do. */
function distanceOf(starts: readonly number[]): number | undefined {
  const distances = starts.slice(1).map((start, index) => start - (starts[index] ?? 0))
  return distances.length === 0 ? undefined : Math.min(...distances)
}
