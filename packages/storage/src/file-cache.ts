import { isOutOfDescriptors, type Files, type OpenFile, type OpenMode } from '@tandemmq/base'

/** Keeps at most `filesMax` files open, fewer where descriptors run out; the one that was not used for longest is closed first. */
export class FileCache {
  readonly #files: Files
  readonly #mode: OpenMode
  readonly #filesMax: number
  /** In the order of use: a Map iterates in the order of insertion. */
  readonly #open = new Map<string, OpenFile>()

  constructor(files: Files, mode: OpenMode, filesMax: number) {
    this.#files = files
    this.#mode = mode
    this.#filesMax = filesMax
  }

  /** The open file at `path`; good for use in this turn, it may be closed in a later one. */
  get(path: string): OpenFile {
    const known = this.#open.get(path)
    if (known !== undefined) {
      this.#open.delete(path)
      this.#open.set(path, known)
      return known
    }
    const file = this.#openOrMakeRoom(path)
    this.add(path, file)
    return file
  }

  #openOrMakeRoom(path: string): OpenFile {
    try {
      return this.#files.open(path, this.#mode)
    } catch (failure) {
      if (!isOutOfDescriptors(failure) || this.#open.size === 0) throw failure
    }
    this.#shrinkTo(Math.floor(this.#open.size / 2))
    return this.#files.open(path, this.#mode)
  }

  /** Takes over a file that was just created. */
  add(path: string, file: OpenFile): void {
    this.#open.set(path, file)
    this.#shrinkTo(this.#filesMax)
  }

  #shrinkTo(filesMax: number): void {
    for (const [oldest, old] of this.#open) {
      if (this.#open.size <= filesMax) break
      this.#open.delete(oldest)
      old.close()
    }
  }

  /** Closes the file if it is open, before it is removed. */
  drop(path: string): void {
    this.#open.get(path)?.close()
    this.#open.delete(path)
  }

  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }
}
