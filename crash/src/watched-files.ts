import type { Files, OpenFile, OpenMode } from '@tandemmq/base'

/** Told right before a call; `halfOfIt` does the first half of a write. */
type OnCall = (halfOfIt?: () => void) => void

/** A disk that says so right before every call that changes or syncs something. */
export class WatchedFiles implements Files {
  readonly #files: Files
  readonly #onCall: OnCall

  constructor(files: Files, onCall: OnCall) {
    this.#files = files
    this.#onCall = onCall
  }

  open(path: string, mode: OpenMode): OpenFile {
    if (mode === 'create') this.#onCall()
    return new WatchedFile(this.#files.open(path, mode), this.#onCall)
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#files.list(directory)
  }

  makeDirectory(path: string): void {
    this.#onCall()
    this.#files.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#onCall()
    this.#files.rename(from, to)
  }

  remove(path: string): void {
    this.#onCall()
    this.#files.remove(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#onCall()
    await this.#files.syncDirectory(directory)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    return this.#files.space(path)
  }
}

class WatchedFile implements OpenFile {
  readonly path: string
  readonly #file: OpenFile
  readonly #onCall: OnCall

  constructor(file: OpenFile, onCall: OnCall) {
    this.path = file.path
    this.#file = file
    this.#onCall = onCall
  }

  size(): number {
    return this.#file.size()
  }

  read(target: Uint8Array, position: number): number {
    return this.#file.read(target, position)
  }

  readLater(target: Uint8Array, position: number): Promise<number> {
    return this.#file.readLater(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#onCall(() => this.#file.write(bytes.subarray(0, bytes.length >> 1), position))
    this.#file.write(bytes, position)
  }

  truncate(size: number): void {
    this.#onCall()
    this.#file.truncate(size)
  }

  async dataSync(): Promise<void> {
    this.#onCall()
    await this.#file.dataSync()
  }

  close(): void {
    this.#file.close()
  }
}
