import { posix } from 'node:path'
import type { Clock, Files, OpenFile, OpenMode } from '@tandemmq/base'
import { DirectoryTree } from './directory-tree.ts'
import { FailurePlan, type FileCall, type PlannedFailure } from './failure-plan.ts'
import { tear, type Inode } from './inode.ts'
import { MountedFiles } from './mounted-files.ts'
import type { SeededRandom, Span } from './seeded-random.ts'
import type { Survival, UnsyncedChange } from './survival.ts'
import { systemError } from './system-error.ts'

export interface SimulatedFilesOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  /** How long a sync takes (default 1-3 ms): a crash can fall in between. */
  readonly syncMs?: Span
  /** Size of the disk (default 1 TiB). Holes take no space. */
  readonly totalBytes?: number
}

/**
 * The disk of one machine, in memory. What a crash leaves is what was synced (contents by `dataSync`,
 * names by `syncDirectory`); of the rest the seed decides. It survives its processes: use the same
 * object again after {@link crash} or {@link kill}.
 */
export class SimulatedFiles implements Files {
  readonly tree: DirectoryTree
  #clock: Clock
  readonly #random: SeededRandom
  #syncMs: Span
  readonly #failures = new FailurePlan()
  #totalBytes: number
  #incarnation = 0
  /** No more bytes are used than these: to count them takes a look at every file. */
  #usedMost = Infinity

  constructor(options: SimulatedFilesOptions, tree = new DirectoryTree()) {
    this.tree = tree
    this.#clock = options.clock
    this.#random = options.random
    this.#syncMs = options.syncMs ?? { min: 1, max: 3 }
    this.#totalBytes = options.totalBytes ?? 2 ** 40
  }

  /** Counts the lives of the machine; a handle of an earlier one is dead. */
  get incarnation(): number {
    return this.#incarnation
  }

  /** How many calls have failed as planned. */
  get failedCalls(): number {
    return this.#failures.failed
  }

  /** Power cut: open handles die, syncs in flight never complete, what was not synced is left to the seed. */
  crash(): void {
    this.#incarnation += 1
    this.#failures.clear()
    this.tree.crash(this.#random)
    for (const inode of new Set(this.tree.files())) inode.crash(this.#random)
  }

  /** As {@link crash}, with `survival` in place of the seed. */
  crashAs(survival: Survival): void {
    this.kill()
    this.tree.crashAs(survival)
  }

  /** Another disk, as this one is now: what is not synced here is not synced there. */
  fork(options: SimulatedFilesOptions): SimulatedFiles {
    return new SimulatedFiles(options, this.tree.fork())
  }

  /** How many changes were made to it in its lives, each the next in order. */
  get changes(): number {
    return this.tree.changes
  }

  /** Equal for equal disks alone: names and contents as everybody sees them, and what of that a power cut could take. */
  fingerprint(): string {
    return this.tree.fingerprint()
  }

  /** What a power cut now could take, in the order of the calls. */
  unsynced(): readonly UnsyncedChange[] {
    return this.tree.unsynced()
  }

  /** The process dies (SIGKILL): open handles die, everything written survives. */
  kill(): void {
    this.#incarnation += 1
    this.#failures.clear()
  }

  /**
   * A view for one process, which can do nothing more after the next {@link crash} or {@link kill}. On `clock`, the process's own, a stopped
   * process does not see its syncs end.
   */
  mount(clock = this.#clock): Files {
    this.#clock = clock
    return new MountedFiles(this)
  }

  /** Makes a later call fail. Planned failures end with the life of the process. */
  fail(failure: PlannedFailure): void {
    this.#failures.add(failure)
  }

  /** Changes the size of the disk; below what is used, every growing write fails with ENOSPC. */
  resize(totalBytes: number): void {
    this.#totalBytes = totalBytes
  }

  /** How long syncs take that begin from now on. */
  set syncMs(span: Span) {
    this.#syncMs = span
  }

  /** Changes bytes behind everybody's back, durably: bit rot. */
  corrupt(path: string, position: number, bytes: Uint8Array): void {
    const inode = this.tree.file(normal(path))
    this.#usedMost = Infinity
    inode.write(bytes, position)
    inode.synced(inode.mark())
  }

  open(path: string, mode: OpenMode): OpenFile {
    const at = normal(path)
    this.check('open', at)
    if (mode === 'create') this.demand(0, at)
    const inode = mode === 'create' ? this.tree.create(at) : this.tree.file(at)
    return new SimulatedFile(this, at, inode, mode)
  }

  exists(path: string): boolean {
    return this.tree.get(normal(path)) !== undefined
  }

  list(directory: string): readonly string[] {
    const at = normal(directory)
    const entry = this.tree.get(at)
    if (entry !== undefined && entry !== 'directory') throw systemError('ENOTDIR', 'scandir', at)
    return this.tree.children(at)
  }

  makeDirectory(path: string): void {
    this.tree.makeDirectory(normal(path))
  }

  rename(from: string, to: string): void {
    this.check('rename', normal(from))
    this.tree.rename(normal(from), normal(to))
  }

  remove(path: string): void {
    this.tree.remove(normal(path))
  }

  async syncDirectory(directory: string): Promise<void> {
    const at = normal(directory)
    const code = this.#failures.next('syncDirectory', at)
    const mark = this.tree.mark(at)
    await this.later()
    if (code !== undefined) throw systemError(code, 'fsync', at)
    this.tree.synced(mark)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    this.check('space', normal(path))
    return { free: Math.max(0, this.#totalBytes - this.#used()), total: this.#totalBytes }
  }

  /** Throws if this call is planned to fail. */
  check(call: FileCall, path: string): void {
    const code = this.#failures.next(call, path)
    if (code !== undefined) throw systemError(code, call, path)
  }

  /** Throws ENOSPC unless `bytes` more fit. */
  demand(bytes: number, path: string): void {
    if (bytes <= 0) return
    this.#usedMost += bytes
    if (this.#usedMost <= this.#totalBytes) return
    this.#usedMost = this.#used() + bytes
    if (this.#usedMost > this.#totalBytes) throw systemError('ENOSPC', 'write', path)
  }

  /** A failing write leaves a part behind, as real ones do. */
  failingWrite(inode: Inode, path: string, bytes: Uint8Array, position: number): void {
    const code = this.#failures.next('write', path)
    if (code === undefined) return
    this.#usedMost = Infinity
    const torn = tear(Buffer.from(bytes), position, this.#random)
    if (torn.bytes.length > 0) inode.write(torn.bytes, torn.position)
    throw systemError(code, 'write', path)
  }

  async sync(inode: Inode, path: string): Promise<void> {
    const code = this.#failures.next('dataSync', path)
    const mark = inode.mark()
    await this.later()
    if (code === undefined) {
      inode.synced(mark)
      return
    }
    inode.syncFailed(mark, this.#random)
    throw systemError(code, 'fdatasync', path)
  }

  /** Resolves after the time of one sync; never if the process dies before. */
  later(): Promise<void> {
    const { incarnation } = this
    const delay = this.#random.between(this.#syncMs.min, this.#syncMs.max)
    return new Promise((resolve) => {
      this.#clock.after(delay, () => {
        if (incarnation === this.#incarnation) resolve()
      })
    })
  }

  /** Resolves in a later turn; never if the process dies before. */
  inPool(): Promise<void> {
    const { incarnation } = this
    return new Promise((resolve) => {
      this.#clock.after(0, () => {
        if (incarnation === this.#incarnation) resolve()
      })
    })
  }

  #used(): number {
    let used = 0
    for (const inode of this.tree.files()) used += inode.content.allocated
    return used
  }
}

class SimulatedFile implements OpenFile {
  readonly path: string
  readonly #disk: SimulatedFiles
  readonly #inode: Inode
  readonly #writable: boolean
  readonly #incarnation: number
  #open = true

  constructor(disk: SimulatedFiles, path: string, inode: Inode, mode: OpenMode) {
    this.path = path
    this.#disk = disk
    this.#inode = inode
    this.#writable = mode !== 'read'
    this.#incarnation = disk.incarnation
  }

  size(): number {
    this.#live('fstat')
    return this.#inode.content.size
  }

  read(target: Uint8Array, position: number): number {
    this.#live('read')
    return this.#inode.content.read(target, position)
  }

  async readLater(target: Uint8Array, position: number): Promise<number> {
    this.#live('read')
    await this.#disk.inPool()
    // A close waits for what the pool still does on the descriptor, as NodeOpenFile's does.
    return this.#inode.content.read(target, position)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#live('write')
    if (!this.#writable) throw systemError('EBADF', 'write', this.path)
    this.#disk.failingWrite(this.#inode, this.path, bytes, position)
    this.#disk.demand(this.#inode.content.growth(position, bytes.length), this.path)
    this.#inode.write(bytes, position)
  }

  truncate(size: number): void {
    this.#live('ftruncate')
    if (!this.#writable) throw systemError('EINVAL', 'ftruncate', this.path)
    this.#disk.check('truncate', this.path)
    this.#inode.truncate(size)
  }

  async dataSync(): Promise<void> {
    this.#live('fdatasync')
    await this.#disk.sync(this.#inode, this.path)
  }

  close(): void {
    this.#open = false
  }

  #live(call: string): void {
    if (!this.#open || this.#incarnation !== this.#disk.incarnation)
      throw systemError('EBADF', call, this.path)
  }
}

function normal(path: string): string {
  const tidy = posix.normalize(path)
  return tidy.length > 1 && tidy.endsWith('/') ? tidy.slice(0, -1) : tidy
}
