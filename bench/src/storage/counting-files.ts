import type { Files, OpenFile, OpenMode } from '@tandemmq/base'

/** The file system, with the syncs counted of files whose path contains a word. */
export class CountingFiles implements Files {
  syncs = 0
  readonly #files: Files
  readonly #word: string

  constructor(files: Files, word: string) {
    this.#files = files
    this.#word = word
  }

  open(path: string, mode: OpenMode): OpenFile {
    const file = this.#files.open(path, mode)
    if (!path.includes(this.#word)) return file
    const sync = file.dataSync.bind(file)
    return Object.assign(file, {
      dataSync: (): Promise<void> => {
        this.syncs += 1
        return sync()
      },
    })
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
