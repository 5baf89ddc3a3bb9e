import type { Files, OpenFile, OpenMode } from '@tandemmq/base'

/** A disk that notes who reads what, and on whose time. */
export class WatchedReads implements Files {
  /** Bytes read while everybody waits, by path, one entry a call. */
  readonly atOnce: { readonly path: string; readonly bytes: number }[] = []
  /** Bytes read off the event loop. */
  readonly later: { readonly path: string; readonly bytes: number }[] = []
  readonly #files: Files

  constructor(files: Files) {
    this.#files = files
  }

  forget(): void {
    this.atOnce.length = 0
    this.later.length = 0
  }

  open(path: string, mode: OpenMode): OpenFile {
    const file = this.#files.open(path, mode)
    return {
      path,
      size: () => file.size(),
      read: (target, position) => {
        this.atOnce.push({ path, bytes: target.length })
        return file.read(target, position)
      },
      readLater: (target, position) => {
        this.later.push({ path, bytes: target.length })
        return file.readLater(target, position)
      },
      write: (bytes, position) => file.write(bytes, position),
      truncate: (size) => file.truncate(size),
      dataSync: () => file.dataSync(),
      close: () => file.close(),
    }
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#files.list(directory)
  }

  makeDirectory(path: string): void {
    this.#files.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#files.rename(from, to)
  }

  remove(path: string): void {
    this.#files.remove(path)
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#files.syncDirectory(directory)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    return this.#files.space(path)
  }
}
