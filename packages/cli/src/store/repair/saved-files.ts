import type { Files } from '@tandemmq/base'
import { StoredFile, nameOf } from '../stored-file.ts'

const PIECE_BYTES = 1024 * 1024

/** Where a repair puts what it removes: `diverged/repair-<wall ms>/` in the store's directory, with the paths that the files had. */
export class SavedFiles {
  readonly #files: Files
  readonly #root: string
  /** Below the store's directory. */
  readonly directory: string

  constructor(files: Files, root: string, nowMs: number) {
    this.#files = files
    this.#root = root
    this.directory = `diverged/repair-${nowMs}`
  }

  /** A file or a directory gets its place there in one step, durably. */
  async move(path: string): Promise<void> {
    if (!this.#files.exists(`${this.#root}/${path}`)) return
    this.#files.makeDirectory(this.#directoryFor(path))
    await this.#sync(path) // A name in a directory that is not durable would be lost with it.
    this.#files.rename(`${this.#root}/${path}`, `${this.#root}/${this.directory}/${path}`)
    await this.#sync(path)
    await this.#files.syncDirectory(aboveOf(`${this.#root}/${path}`))
  }

  /** A copy of a file, durably. */
  async copy(path: string): Promise<void> {
    if (!this.#files.exists(`${this.#root}/${path}`)) return
    using file = new StoredFile(this.#files, `${this.#root}/${path}`)
    await this.#write(path, file, 0, file.bytes)
  }

  /**
   * The log's bytes [from, to), as far as they are there, in files named by the log offset of their first byte and that of their end.
   */
  async copyLog(from: number, to: number, starts: readonly number[], segmentBytes: number): Promise<void> {
    for (const start of starts) {
      const [begin, end] = [Math.max(from, start), Math.min(to, start + segmentBytes)]
      if (begin >= end) continue
      using file = new StoredFile(this.#files, `${this.#root}/commitlog/${nameOf(start)}`)
      const length = Math.min(end - start, file.bytes) - (begin - start)
      if (length > 0) await this.#write(`commitlog/${nameOf(begin)}-${end}`, file, begin - start, length)
    }
  }

  async #write(path: string, source: StoredFile, from: number, length: number): Promise<void> {
    this.#files.makeDirectory(this.#directoryFor(path))
    const copy = `${this.#root}/${this.directory}/${path}`
    this.#files.remove(copy)
    const target = this.#files.open(copy, 'create')
    try {
      for (let at = 0; at < length; at += PIECE_BYTES) {
        target.write(source.read(from + at, Math.min(PIECE_BYTES, length - at)), at)
      }
      await target.dataSync()
    } finally {
      target.close()
    }
    await this.#sync(path)
  }

  #directoryFor(path: string): string {
    return aboveOf(`${this.#root}/${this.directory}/${path}`)
  }

  /** Makes the name durable, and those of the directories above. */
  async #sync(path: string): Promise<void> {
    let directory = this.#directoryFor(path)
    while (directory.length >= this.#root.length) {
      await this.#files.syncDirectory(directory)
      directory = aboveOf(directory)
    }
  }
}

function aboveOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
