import type { Files, OpenFile } from '@tandemmq/base'
import { indexFileBytes, type IndexGeometry, type IndexHeader } from '@tandemmq/codec'
import { FileCache } from './file-cache.ts'
import { isIndexFileName } from './index-file-name.ts'
import { readIndexHeader } from './index-replay.ts'

/** A file that is full, and of which nothing but this is in memory. */
export interface SealedIndex {
  readonly name: string
  readonly header: IndexHeader
}

/** Old files are read on demand; few are open at a time. */
const OPEN_MAX = 4

/** The directory of index files: which there are, and which were changed since the last sync. */
export class IndexFiles {
  readonly directory: string
  readonly geometry: IndexGeometry
  readonly files: Files
  readonly #cache: FileCache
  #dirtyFiles = new Set<string>()
  #namesDirty = false

  constructor(files: Files, directory: string, geometry: IndexGeometry) {
    this.files = files
    this.directory = directory
    this.geometry = geometry
    this.#cache = new FileCache(files, 'read', OPEN_MAX)
  }

  /** Names of index files, oldest first. */
  names(): string[] {
    return this.files.list(this.directory).filter(isIndexFileName).toSorted()
  }

  /** For use in this turn. */
  reading(name: string): OpenFile {
    return this.#cache.get(this.#path(name))
  }

  headerOf(name: string): IndexHeader {
    return readIndexHeader(this.reading(name))
  }

  /** Whether a file is as long as index files of this shape are. */
  hasLength(name: string): boolean {
    return this.reading(name).size() === indexFileBytes(this.geometry)
  }

  async changing<T>(name: string, task: (file: OpenFile) => Promise<T>): Promise<T> {
    this.touch(name)
    const file = this.files.open(this.#path(name), 'read-write')
    try {
      return await task(file)
    } finally {
      file.close()
    }
  }

  remove(name: string): void {
    const path = this.#path(name)
    this.#cache.drop(path)
    this.#dirtyFiles.delete(path)
    this.files.remove(path)
    this.#namesDirty = true
  }

  /** The file, and perhaps its name, are not durable. */
  touch(name: string): void {
    this.#dirtyFiles.add(this.#path(name))
    this.#namesDirty = true
  }

  /** Resolves when everything touched before the call is on stable storage. */
  async sync(): Promise<void> {
    const paths = this.#dirtyFiles
    const namesDirty = this.#namesDirty
    this.#dirtyFiles = new Set()
    this.#namesDirty = false
    try {
      for (const path of paths) await this.#syncPath(path)
      if (namesDirty) await this.files.syncDirectory(this.directory)
    } catch (failure) {
      for (const path of paths) this.#dirtyFiles.add(path)
      this.#namesDirty ||= namesDirty
      throw failure
    }
  }

  close(): void {
    this.#cache.close()
  }

  async #syncPath(path: string): Promise<void> {
    if (!this.files.exists(path)) return
    const file = this.files.open(path, 'read-write')
    try {
      await file.dataSync()
    } finally {
      file.close()
    }
  }

  #path(name: string): string {
    return `${this.directory}/${name}`
  }
}
