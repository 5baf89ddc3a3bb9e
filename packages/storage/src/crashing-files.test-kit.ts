import type { Files, OpenFile, OpenMode } from '@tandemmq/base'

/**
 * A disk that calls `crash` right before, or in the middle of, the n-th call that changes or syncs something. Calls are
 * counted, so a test can crash at every one of a sequence.
 */
export class CrashingFiles implements Files {
  calls = 0
  readonly #files: Files
  readonly #isArmed: () => boolean
  readonly #crashAt: number
  readonly #crash: () => void

  /** Calls count only while `isArmed`. */
  constructor(files: Files, isArmed: () => boolean, crashAt: number, crash: () => void) {
    this.#files = files
    this.#isArmed = isArmed
    this.#crashAt = crashAt
    this.#crash = crash
  }

  open(path: string, mode: OpenMode): OpenFile {
    if (mode === 'create') this.#count()
    return new CrashingFile(this.#files.open(path, mode), () => this.#count())
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#files.list(directory)
  }

  makeDirectory(path: string): void {
    this.#count()
    this.#files.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#count()
    this.#files.rename(from, to)
  }

  remove(path: string): void {
    this.#count()
    this.#files.remove(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#count()
    await this.#files.syncDirectory(directory)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    return this.#files.space(path)
  }

  /** After the crash the calls go on to a dead disk, which refuses them. */
  #count(): void {
    if (!this.#isArmed()) return
    this.calls += 1
    if (this.calls === this.#crashAt) this.#crash()
  }
}

class CrashingFile implements OpenFile {
  readonly path: string
  readonly #file: OpenFile
  readonly #count: () => void

  constructor(file: OpenFile, count: () => void) {
    this.path = file.path
    this.#file = file
    this.#count = count
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
    this.#count()
    this.#file.write(bytes, position)
  }

  truncate(size: number): void {
    this.#count()
    this.#file.truncate(size)
  }

  async dataSync(): Promise<void> {
    this.#count()
    await this.#file.dataSync()
  }

  close(): void {
    this.#file.close()
  }
}
