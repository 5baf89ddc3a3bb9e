import { invariant, type Files, type LogOffset, type OpenFile } from '@tandemmq/base'
import { logFileName } from './log-file-name.ts'

/** Files of the log that are being written, or wait for their sync, by their start; the last one holds the end, or is prepared for it. */
export class HotSegments {
  readonly #directory: string
  readonly #segmentBytes: number
  readonly #files: Files
  readonly #open = new Map<LogOffset, OpenFile>()
  readonly #dirty = new Set<LogOffset>()
  #namesDirty = false

  constructor(directory: string, segmentBytes: number, files: Files) {
    this.#directory = directory
    this.#segmentBytes = segmentBytes
    this.#files = files
  }

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  exists(start: LogOffset): boolean {
    return this.#files.exists(this.#path(start))
  }

  file(start: LogOffset): OpenFile | undefined {
    return this.#open.get(start)
  }

  /** Opens or creates the segment, at its full length. Throws what the file system says; the segment is then as before. */
  ensure(start: LogOffset): void {
    if (this.#open.has(start)) return
    const path = this.#path(start)
    // Recovery has left here only what belongs to the log or is prepared for it, zeros.
    const exists = this.#files.exists(path)
    let file: OpenFile | undefined
    try {
      file = this.#files.open(path, exists ? 'read-write' : 'create')
      if (file.size() < this.#segmentBytes) file.truncate(this.#segmentBytes)
    } catch (cause) {
      file?.close()
      if (file !== undefined && !exists) this.#files.remove(path)
      throw cause
    }
    this.#open.set(start, file)
    this.#dirty.add(start)
    this.#namesDirty = true
  }

  /** Writes at `offset`, within one segment. Throws what the file system says; some of it may be there then, see {@link takeBack}. */
  write(offset: LogOffset, bytes: Uint8Array): void {
    const start = this.#startOf(offset)
    const file = this.#written(start)
    this.#dirty.add(start)
    file.write(bytes, offset - start)
  }

  /** Behind `offset` its segment reads as zeros again. */
  takeBack(offset: LogOffset): void {
    const start = this.#startOf(offset)
    const file = this.#written(start)
    file.truncate(offset - start)
    file.truncate(this.#segmentBytes)
  }

  /** Puts everything written so far on stable storage. Those below `tail`, the segment of the log's end, are closed once nothing of them waits. */
  async sync(tail: () => LogOffset): Promise<void> {
    const dirty = [...this.#dirty]
    const namesDirty = this.#namesDirty
    this.#dirty.clear()
    this.#namesDirty = false
    for (const start of dirty.toSorted((a, b) => a - b)) await this.#open.get(start)?.dataSync()
    // A file whose name is lost has no bytes: names are part of the first sync.
    if (namesDirty) await this.#files.syncDirectory(this.#directory)
    const last = tail()
    for (const [start, file] of this.#open) {
      if (start >= last || this.#dirty.has(start)) continue
      this.#open.delete(start)
      file.close()
    }
  }

  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  #written(start: LogOffset): OpenFile {
    const file = this.#open.get(start)
    invariant(file !== undefined, 'a segment being written is open')
    return file
  }

  #startOf(offset: LogOffset): LogOffset {
    return offset - (offset % this.#segmentBytes)
  }

  #path(start: LogOffset): string {
    return `${this.#directory}/${logFileName(start)}`
  }
}
