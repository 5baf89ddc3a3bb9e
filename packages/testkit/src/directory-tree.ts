import { hash } from 'node:crypto'
import { posix } from 'node:path'
import { systemError } from './system-error.ts'
import { Inode, sectorsTouched } from './inode.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Survival, UnsyncedChange } from './survival.ts'

type Entry = Inode | 'directory'

/** One atomic change of names: a rename takes one name and gives another in the same step. */
interface NameChange {
  /** Of all changes to the disk. */
  readonly order: number
  readonly directory: string
  readonly removed: readonly string[]
  readonly added?: { readonly path: string; readonly entry: Entry }
}

/**
 * The names of a simulated disk: those everybody sees and those that a crash cannot take away. A name is
 * safe after its directory was synced. A directory directly below the root is a mount point: safe at once.
 */
export class DirectoryTree {
  #names = new Map<string, Entry>()
  #durable = new Map<string, Entry>()
  #pending: NameChange[] = []
  #order = 0

  /** As this one is now, files included, and independent of it. */
  fork(): DirectoryTree {
    const fork = new DirectoryTree()
    fork.#order = this.#order
    const copies = new Map<Inode, Inode>()
    const copyOf = (entry: Entry): Entry => {
      if (entry === 'directory') return entry
      const copy = copies.get(entry) ?? entry.fork(() => fork.#nextOrder())
      copies.set(entry, copy)
      return copy
    }
    for (const [path, entry] of this.#names) fork.#names.set(path, copyOf(entry))
    for (const [path, entry] of this.#durable) fork.#durable.set(path, copyOf(entry))
    fork.#pending = this.#pending.map((change) => {
      const { added } = change
      return added === undefined ? change : { ...change, added: { ...added, entry: copyOf(added.entry) } }
    })
    return fork
  }

  /** How many changes were made, to names and contents. */
  get changes(): number {
    return this.#order
  }

  /** What no sync has covered yet, names and contents, in order. */
  unsynced(): readonly UnsyncedChange[] {
    const changes: UnsyncedChange[] = this.#pending.map(({ order, added, removed }) => ({
      order,
      kind: 'name',
      path: added?.path ?? removed[0] ?? '',
      sectors: [],
    }))
    const seen = new Set<Inode>()
    for (const [path, entry] of [...this.#names, ...this.#durable]) {
      if (entry === 'directory' || seen.has(entry)) continue
      seen.add(entry)
      for (const change of entry.unsynced) {
        const { order, kind } = change
        const sectors = change.kind === 'write' ? sectorsTouched(change.position, change.bytes.length) : []
        changes.push({ order, kind, path, sectors })
      }
    }
    return changes.toSorted((a, b) => a.order - b.order)
  }

  /** Equal for equal disks alone: names and contents as everybody sees them, and what of that a power cut could take. */
  fingerprint(): string {
    const numbers = new Map<Entry, number>()
    const parts: string[] = []
    const nameOf = (entry: Entry): string => {
      if (entry === 'directory') return entry
      const known = numbers.get(entry)
      if (known !== undefined) return String(known)
      numbers.set(entry, numbers.size)
      parts.push(entry.fingerprint())
      return String(numbers.size - 1)
    }
    const listed = (names: ReadonlyMap<string, Entry>): void => {
      for (const path of [...names.keys()].toSorted())
        parts.push(path, nameOf(names.get(path) ?? 'directory'))
    }
    listed(this.#names)
    if (this.#pending.length > 0) {
      listed(this.#durable)
      for (const { directory, removed, added } of this.#pending)
        parts.push(
          directory,
          removed.join(),
          added === undefined ? '' : `${added.path} ${nameOf(added.entry)}`,
        )
    }
    for (const { kind, path } of this.unsynced()) parts.push(`${kind} ${path}`)
    return hash('sha1', parts.join('\n'), 'base64')
  }

  get(path: string): Entry | undefined {
    return isRoot(path) ? 'directory' : this.#names.get(path)
  }

  file(path: string): Inode {
    const entry = this.get(path)
    if (entry === undefined) throw systemError('ENOENT', 'open', path)
    if (entry === 'directory') throw systemError('EISDIR', 'open', path)
    return entry
  }

  *files(): Iterable<Inode> {
    for (const entry of this.#names.values()) if (entry !== 'directory') yield entry
  }

  children(directory: string): string[] {
    const names: string[] = []
    for (const path of this.#names.keys())
      if (posix.dirname(path) === directory) names.push(posix.basename(path))
    return names.toSorted()
  }

  create(path: string): Inode {
    if (this.get(path) !== undefined) throw systemError('EEXIST', 'open', path)
    if (this.get(posix.dirname(path)) !== 'directory') throw systemError('ENOENT', 'open', path)
    const inode = new Inode(() => this.#nextOrder())
    this.#change({ directory: posix.dirname(path), removed: [], added: { path, entry: inode } })
    return inode
  }

  /** With all missing directories above it. */
  makeDirectory(path: string): void {
    const entry = this.get(path)
    if (entry === 'directory') return
    if (entry !== undefined) throw systemError('EEXIST', 'mkdir', path)
    const directory = posix.dirname(path)
    this.makeDirectory(directory)
    this.#change({ directory, removed: [], added: { path, entry: 'directory' } })
    if (isRoot(directory)) this.synced(new Set(this.#pending.slice(-1)))
  }

  rename(from: string, to: string): void {
    const entry = this.get(from)
    if (entry === undefined) throw systemError('ENOENT', 'rename', from)
    if (this.get(posix.dirname(to)) !== 'directory') throw systemError('ENOENT', 'rename', to)
    const inside = [...this.#names].filter(([path]) => path.startsWith(`${from}/`))
    this.#change({ directory: posix.dirname(to), removed: [from], added: { path: to, entry } })
    for (const [path, moved] of inside) {
      const target = to + path.slice(from.length)
      this.#change({
        directory: posix.dirname(target),
        removed: [path],
        added: { path: target, entry: moved },
      })
    }
  }

  remove(path: string): void {
    const gone = [...this.#names.keys()].filter((name) => name === path || name.startsWith(`${path}/`))
    for (const name of gone) this.#change({ directory: posix.dirname(name), removed: [name] })
  }

  /** Names everything changed so far in `directory`, for {@link synced}. */
  mark(directory: string): ReadonlySet<NameChange> {
    return new Set(this.#pending.filter((change) => touches(change, directory)))
  }

  synced(mark: ReadonlySet<NameChange>): void {
    for (const change of this.#pending) if (mark.has(change)) applyTo(this.#durable, change)
    this.#pending = this.#pending.filter((change) => !mark.has(change))
  }

  /** Power is gone: of the names changed since their directory was synced, each survives or not. */
  crash(random: SeededRandom): void {
    for (const change of this.#pending) if (random.chance(1, 2)) applyTo(this.#durable, change)
    this.#settle()
  }

  /** As {@link crash}, with `survival` in place of the seed; contents included. */
  crashAs(survival: Survival): void {
    for (const change of this.#pending) if (survival.keeps(change.order)) applyTo(this.#durable, change)
    this.#settle()
    for (const inode of new Set(this.files())) inode.crashAs(survival)
  }

  #settle(): void {
    this.#pending = []
    for (const path of this.#durable.keys()) if (!this.#reachable(path)) this.#durable.delete(path)
    this.#names = new Map(this.#durable)
  }

  #nextOrder(): number {
    this.#order += 1
    return this.#order
  }

  #reachable(path: string): boolean {
    for (let above = posix.dirname(path); !isRoot(above); above = posix.dirname(above)) {
      if (this.#durable.get(above) !== 'directory') return false
    }
    return true
  }

  #change(what: Omit<NameChange, 'order'>): void {
    const change = { ...what, order: this.#nextOrder() }
    applyTo(this.#names, change)
    this.#pending.push(change)
  }
}

function applyTo(names: Map<string, Entry>, change: NameChange): void {
  for (const path of change.removed) names.delete(path)
  if (change.added) names.set(change.added.path, change.added.entry)
}

function touches(change: NameChange, directory: string): boolean {
  return change.directory === directory || change.removed.some((path) => posix.dirname(path) === directory)
}

function isRoot(path: string): boolean {
  return path === '/' || path === '.'
}
