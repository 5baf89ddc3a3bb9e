import { directoryOf, BrokerError, type Files } from '@tandemmq/base'
import { FileCache } from './file-cache.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'

/** Of the four threads that Node has for files, one stays free for the sync of the log, which senders wait for. */
const SYNCS_AT_A_TIME = 3

/**
 * All consume-queue files of a store: a bounded number is open, what was written since the last sync is known.
 * A lost write here loses no message: queues are built again from the log.
 */
export class ConsumeQueueFiles {
  readonly #files: Files
  readonly #cache: FileCache
  readonly #fileBytes: number
  readonly #dirtyFiles = new Set<string>()
  readonly #dirtyDirectories = new Set<string>()

  constructor(files: Files, fileBytes: number, openMax: number) {
    this.#files = files
    this.#fileBytes = fileBytes
    this.#cache = new FileCache(files, 'read-write', openMax)
  }

  get fileBytes(): number {
    return this.#fileBytes
  }

  list(directory: string): readonly string[] {
    return this.#files.list(directory)
  }

  /** Whether the file is there that holds byte `position` of the queue in `directory`. */
  holds(directory: string, position: number): boolean {
    return this.#files.exists(`${directory}/${logFileName(position - (position % this.#fileBytes))}`)
  }

  /** Makes a directory and those above, whose names become durable with the next {@link sync}. */
  makeDirectory(directory: string): void {
    if (this.#files.exists(directory)) return
    this.#files.makeDirectory(directory)
    let above = directory
    // The store's directory too: that of all batch queues is made with the first one.
    for (let level = 0; level < 3; level += 1) {
      above = directoryOf(above)
      this.#dirtyDirectories.add(above)
    }
  }

  /** Reads up to `target.length` bytes; returns how many the file had. */
  read(path: string, target: Buffer, position: number): number {
    return this.#cache.get(path).read(target, position)
  }

  /** Creates a file of full length, sparse. One that a crash left behind under this name is taken as it is. */
  create(path: string): void {
    if (this.#files.exists(path)) {
      this.extend(path)
      return
    }
    const file = this.#files.open(path, 'create')
    try {
      file.truncate(this.#fileBytes)
    } catch (failure) {
      file.close()
      this.#files.remove(path)
      throw failure
    }
    this.#cache.add(path, file)
    this.#dirtyFiles.add(path)
    this.#dirtyDirectories.add(directoryOf(path))
  }

  /** Throws `STORE_FOREIGN` for a file that is longer than ours are. */
  demandLength(path: string): void {
    const size = this.#cache.get(path).size()
    if (size <= this.#fileBytes) return
    throw new BrokerError(
      'STORE_FOREIGN',
      `${path} has ${size} bytes, queue files here have ${this.#fileBytes}`,
      {
        facts: { path, size, consumeQueueFileBytes: this.#fileBytes },
      },
    )
  }

  /** Gives a file its full length again, if a crash has shortened it. */
  extend(path: string): void {
    const file = this.#cache.get(path)
    if (file.size() >= this.#fileBytes) return
    file.truncate(this.#fileBytes)
    this.#dirtyFiles.add(path)
  }

  /** The file at `path` and its name may have been written by an earlier process and not be durable. */
  assumeDirty(path: string): void {
    this.#dirtyFiles.add(path)
    let directory = directoryOf(path)
    for (let level = 0; level < 3; level += 1) {
      this.#dirtyDirectories.add(directory)
      directory = directoryOf(directory)
    }
  }

  write(path: string, bytes: Uint8Array, position: number): void {
    this.#dirtyFiles.add(path)
    this.#cache.get(path).write(bytes, position)
  }

  /** Everything in the queue's `directory` from byte `position` on is gone; the file it lies in stays. */
  cutAll(directory: string, position: number): void {
    // Last first: wherever a kill interrupts this, what is left is a prefix.
    for (const name of this.#files.list(directory).toReversed()) {
      const start = positionOfLogFile(name)
      if (start === undefined || start + this.#fileBytes <= position) continue
      const path = `${directory}/${name}`
      if (start > position) this.#remove(path)
      else this.#cut(path, position - start)
    }
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  /** Creates a file without content, which is there by its name. */
  createEmpty(path: string): void {
    if (!this.#files.exists(path)) this.#files.open(path, 'create').close()
    this.#dirtyDirectories.add(directoryOf(path))
  }

  /** The queue in `directory` is gone, and the directory with it. */
  removeAll(directory: string): void {
    if (!this.#files.exists(directory)) return
    // Last first: wherever a kill interrupts this, what is left is a prefix.
    for (const name of this.#files.list(directory).toReversed()) this.#remove(`${directory}/${name}`)
    this.#dirtyDirectories.delete(directory)
    this.removeEmpty(directory)
  }

  /** What {@link createEmpty} has created is gone, or a directory without files. */
  removeEmpty(path: string): void {
    this.#files.remove(path)
    this.#dirtyDirectories.add(directoryOf(path))
  }

  /** Files of the queue in `directory` that begin below byte `start` are gone. */
  removeBelow(directory: string, start: number): void {
    for (const name of this.#files.list(directory)) {
      if ((positionOfLogFile(name) ?? start) < start) this.#remove(`${directory}/${name}`)
    }
  }

  #cut(path: string, position: number): void {
    this.#dirtyFiles.add(path)
    const file = this.#cache.get(path)
    file.truncate(position)
    file.truncate(this.#fileBytes)
  }

  #remove(path: string): void {
    this.#cache.drop(path)
    this.#dirtyFiles.delete(path)
    this.#files.remove(path)
    this.#dirtyDirectories.add(directoryOf(path))
  }

  /**
   * Resolves when everything written before the call is on stable storage. False: `isEnough` has said so before all was; nothing counts as synced
   * then.
   */
  async sync(isEnough: () => boolean = () => false): Promise<boolean> {
    const files = [...this.#dirtyFiles]
    const directories = [...this.#dirtyDirectories]
    this.#dirtyFiles.clear()
    this.#dirtyDirectories.clear()
    let isDone = false
    try {
      isDone =
        (await fewAtATime(files, (path) => this.#syncFile(path), isEnough)) &&
        (await fewAtATime(directories, (directory) => this.#syncDirectory(directory), isEnough))
    } finally {
      if (!isDone) {
        for (const path of files) this.#dirtyFiles.add(path)
        for (const directory of directories) this.#dirtyDirectories.add(directory)
      }
    }
    return isDone
  }

  #syncFile(path: string): Promise<void> {
    return this.#unlessGone(path, () => this.#cache.get(path).dataSync())
  }

  #syncDirectory(directory: string): Promise<void> {
    return this.#unlessGone(directory, () => this.#files.syncDirectory(directory))
  }

  /** What expires while a sync is on its way, or between one that failed and the next, needs none. */
  async #unlessGone(path: string, sync: () => Promise<void>): Promise<void> {
    try {
      await sync()
    } catch (failure) {
      if (this.#files.exists(path)) throw failure
    }
  }

  close(): void {
    this.#cache.close()
  }
}

/** Syncs `paths`, a few together: the file system writes its journal once for all that wait. False: `isEnough` said so before the last one. */
async function fewAtATime(
  paths: readonly string[],
  sync: (path: string) => Promise<void>,
  isEnough: () => boolean,
): Promise<boolean> {
  const left = paths.values()
  let goesOn = true
  const work = async (): Promise<void> => {
    for (const path of left) {
      goesOn &&= !isEnough()
      if (!goesOn) return
      try {
        await sync(path)
      } catch (failure) {
        goesOn = false
        throw failure
      }
    }
  }
  await Promise.all(Array.from({ length: SYNCS_AT_A_TIME }, work))
  return goesOn
}
