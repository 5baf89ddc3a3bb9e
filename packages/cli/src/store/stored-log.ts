import { BrokerError, type Files } from '@tandemmq/base'
import { FRAME_HEAD_BYTES, decodeRecord, scanFrame, type LogRecord } from '@tandemmq/codec'
import { note, problem, type Finding } from './finding.ts'
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
    this.segmentBytes = mostFrequent(this.starts.map((start) => this.#file(start).bytes))
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

  /** Everything, in the order of the log; what follows a damaged place in the same file is skipped. */
  *pieces(): Generator<LogPiece> {
    for (const [index, start] of this.starts.entries()) {
      const next = this.starts[index + 1]
      this.#end = start
      yield* this.#piecesOf(start)
      if (this.#end < start + this.segmentBytes && !this.#isWrittenBehind(start)) return
      if (next !== undefined && next !== start + this.segmentBytes) {
        const what = `the next file of the log is ${nameOf(next)}; ${nameOf(start + this.segmentBytes)} is missing`
        yield { kind: 'finding', finding: problem(`commitlog/${nameOf(start)}`, this.segmentBytes, what) }
      }
    }
  }

  /** The record at an offset; `undefined` if there is no whole one. */
  recordAt(offset: number): LogRecord | undefined {
    const start = this.startOf(offset)
    if (!Number.isSafeInteger(offset) || !this.starts.includes(start)) return undefined
    const head = this.#read(offset, FRAME_HEAD_BYTES)
    const size = head.length < 4 ? 0 : head.readInt32BE(0)
    if (size <= 0 || offset + size > start + this.segmentBytes) return undefined
    const bytes = this.#read(offset, size)
    if (scanFrame(bytes, 0, this.#limits, offset).kind !== 'message') return undefined
    return decodeRecord(bytes, 0, { checkBodyCrc: false })
  }

  [Symbol.dispose](): void {
    this.#open?.file[Symbol.dispose]()
  }

  *#piecesOf(start: number): Generator<LogPiece> {
    const file = this.#file(start)
    const path = `commitlog/${nameOf(start)}`
    if (file.bytes !== this.segmentBytes) {
      const what = `the file has ${file.bytes} bytes instead of ${this.segmentBytes}`
      yield { kind: 'finding', finding: problem(path, Math.min(file.bytes, this.segmentBytes), what) }
    }
    let window: Buffer = Buffer.alloc(0)
    let windowAt = 0
    for (let at = 0; at < this.segmentBytes;) {
      let scan = scanFrame(window, at - windowAt, this.#limits, start + at)
      if (scan.kind === 'incomplete' && windowAt + window.length < this.segmentBytes) {
        windowAt = at
        window = this.#read(start + at, Math.max(WINDOW_BYTES, scan.needed))
        scan = scanFrame(window, 0, this.#limits, start + at)
      }
      const from = at - windowAt
      if (scan.kind === 'message') {
        const bytes = window.subarray(from, from + scan.size)
        yield {
          kind: 'message',
          offset: start + at,
          bytes,
          record: decodeRecord(bytes, 0, { checkBodyCrc: false }),
        }
        at += scan.size
        this.#end = start + at
      } else if (scan.kind === 'blank' && at + scan.size === this.segmentBytes) {
        yield { kind: 'blank', offset: start + at, size: scan.size, magic: window.readInt32BE(from + 4) }
        this.#end = start + this.segmentBytes
        return
      } else {
        yield* this.#endOf(start, at, scan.kind === 'corrupt' ? scan.why : scan.kind)
        return
      }
    }
  }

  /** There is no frame at `at`: the end of the log, or damage. */
  *#endOf(start: number, at: number, why: string): Generator<LogPiece> {
    const path = `commitlog/${nameOf(start)}`
    if (why !== 'empty') {
      const what = `no record and no blank can be read at log offset ${start + at} (${why}); the rest of the file is skipped`
      yield { kind: 'finding', finding: problem(path, at, what) }
      return
    }
    const isLast = !this.#isWrittenBehind(start)
    if (!isLast) {
      yield {
        kind: 'finding',
        finding: problem(path, at, `the log ends at ${start + at}, but a later file holds something`),
      }
    }
    const written = this.#firstWritten(start, at)
    if (written === undefined) return
    const what = `the log ends at ${start + at}, but bytes that are not zero follow at ${start + written}`
    yield { kind: 'finding', finding: isLast ? note(path, written, what) : problem(path, written, what) }
  }

  /** Files may be prepared ahead; they hold zeros. */
  #isWrittenBehind(start: number): boolean {
    return this.starts.some((later) => later > start && this.#firstWritten(later, 0) !== undefined)
  }

  /** Position in the file of the first byte from `from` on that is not zero. */
  #firstWritten(start: number, from: number): number | undefined {
    for (let at = from; at < this.segmentBytes; at += WINDOW_BYTES) {
      const window = this.#read(start + at, WINDOW_BYTES)
      // Files of a GiB are mostly holes.
      if (zeros.compare(window, 0, window.length, 0, window.length) !== 0) {
        return at + window.findIndex((byte) => byte !== 0)
      }
    }
    return undefined
  }

  get #limits(): { readonly recordBytesMax: number; readonly segmentBytes: number } {
    return { recordBytesMax: this.segmentBytes, segmentBytes: this.segmentBytes }
  }

  #read(offset: number, length: number): Buffer {
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

/** Files have equal lengths; one that was damaged may not. */
function mostFrequent(lengths: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1)
  let best = 0
  for (const [length, count] of counts) if (count > (counts.get(best) ?? 0)) best = length
  return best
}
