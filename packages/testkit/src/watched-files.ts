import type { Files, OpenFile, OpenMode } from '@tandemmq/base'

/** A call that changes or syncs something, about to be made. */
export interface WatchedCall {
  readonly kind:
    | 'create'
    | 'write'
    | 'truncate'
    | 'dataSync'
    | 'makeDirectory'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
  /** Of a rename, where from. */
  readonly path: string
  /** Does the first half of a write. */
  readonly halfOfIt?: () => void
}

/** A read, about to be made. */
export interface WatchedRead {
  readonly path: string
  readonly bytes: number
  /** Off the event loop; otherwise everybody waits for it. */
  readonly isLater: boolean
}

/** A disk that says so right before every call that changes or syncs something, or reads. What `onCall` throws, the call throws. */
export class WatchedFiles implements Files {
  readonly #files: Files
  readonly #onCall: (call: WatchedCall) => void
  readonly #onRead: (read: WatchedRead) => void

  constructor(
    files: Files,
    onCall: (call: WatchedCall) => void,
    onRead: (read: WatchedRead) => void = () => {},
  ) {
    this.#files = files
    this.#onCall = onCall
    this.#onRead = onRead
  }

  open(path: string, mode: OpenMode): OpenFile {
    if (mode === 'create') this.#onCall({ kind: 'create', path })
    return new WatchedFile(this.#files.open(path, mode), this.#onCall, this.#onRead)
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#files.list(directory)
  }

  makeDirectory(path: string): void {
    this.#onCall({ kind: 'makeDirectory', path })
    this.#files.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#onCall({ kind: 'rename', path: from })
    this.#files.rename(from, to)
  }

  remove(path: string): void {
    this.#onCall({ kind: 'remove', path })
    this.#files.remove(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#onCall({ kind: 'syncDirectory', path: directory })
    await this.#files.syncDirectory(directory)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    return this.#files.space(path)
  }
}

class WatchedFile implements OpenFile {
  readonly path: string
  readonly #file: OpenFile
  readonly #onCall: (call: WatchedCall) => void
  readonly #onRead: (read: WatchedRead) => void

  constructor(file: OpenFile, onCall: (call: WatchedCall) => void, onRead: (read: WatchedRead) => void) {
    this.path = file.path
    this.#file = file
    this.#onCall = onCall
    this.#onRead = onRead
  }

  size(): number {
    return this.#file.size()
  }

  read(target: Uint8Array, position: number): number {
    this.#onRead({ path: this.path, bytes: target.length, isLater: false })
    return this.#file.read(target, position)
  }

  readLater(target: Uint8Array, position: number): Promise<number> {
    this.#onRead({ path: this.path, bytes: target.length, isLater: true })
    return this.#file.readLater(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    const halfOfIt = (): void => this.#file.write(bytes.subarray(0, bytes.length >> 1), position)
    this.#onCall({ kind: 'write', path: this.path, halfOfIt })
    this.#file.write(bytes, position)
  }

  truncate(size: number): void {
    this.#onCall({ kind: 'truncate', path: this.path })
    this.#file.truncate(size)
  }

  async dataSync(): Promise<void> {
    this.#onCall({ kind: 'dataSync', path: this.path })
    await this.#file.dataSync()
  }

  close(): void {
    this.#file.close()
  }
}
