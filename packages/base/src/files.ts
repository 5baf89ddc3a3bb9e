/**
 * One open file. Positional calls only: there is no cursor.
 *
 * Writes are visible to every reader at once and durable only after `dataSync`; a new or renamed name is
 * durable only after `syncDirectory` of its parent (see {@link Files}).
 */
export interface OpenFile {
  readonly path: string
  /** Length in bytes. */
  size(): number
  /** Reads up to `target.length` bytes at `position`; returns how many there were (short only at the end of the file). */
  read(target: Uint8Array, position: number): number
  /** As {@link read}, off the event loop. */
  readLater(target: Uint8Array, position: number): Promise<number>
  /** Writes all of `bytes` at `position`, growing the file where needed. Throws on any failure, `ENOSPC` included. */
  write(bytes: Uint8Array, position: number): void
  /** Sets the length; growing fills with zeros. */
  truncate(size: number): void
  /** Resolves once everything written so far is on stable storage. A failure is final: never retry it. */
  dataSync(): Promise<void>
  close(): void
}

/** `create` fails if the file exists. */
export type OpenMode = 'read' | 'read-write' | 'create'

/**
 * The file system. Paths are absolute or relative to the process, `/`-separated.
 * Errors are those of node:fs (an `Error` with `code`, for instance `ENOENT`).
 */
export interface Files {
  open(path: string, mode: OpenMode): OpenFile
  exists(path: string): boolean
  /** Names in a directory, sorted; empty if the directory does not exist. */
  list(directory: string): readonly string[]
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** Removes a file or a whole directory; nothing happens if there is none. */
  remove(path: string): void
  /** Makes names created, renamed or removed in `directory` durable. */
  syncDirectory(directory: string): Promise<void>
  /** Bytes free and in all on the file system that holds `path`. */
  space(path: string): { readonly free: number; readonly total: number }
}
