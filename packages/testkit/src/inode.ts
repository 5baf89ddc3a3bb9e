import { hash } from 'node:crypto'
import { FileContent } from './file-content.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Survival } from './survival.ts'

/** What a disk writes in one piece: a write torn by a crash is torn at a multiple of this. */
const SECTOR_BYTES = 512

/** `order`: of all changes to the disk. */
type Change =
  | { readonly order: number; readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly order: number; readonly kind: 'truncate'; readonly size: number }

/**
 * One file: what readers see, what is on stable storage, and the changes in between. A crash keeps the stable part; of the rest each
 * sector comes back as it was at some moment since: as it is on stable storage, as it was last, or as it was in between, one
 * sector independently of the other. (What is written back is a page as it is then, so a later write never survives in a sector
 * without the earlier ones.)
 */
export class Inode {
  content = new FileContent()
  #durable = new FileContent()
  #pending: Change[] = []
  readonly #nextOrder: () => number

  /** `nextOrder` numbers the changes to the whole disk. */
  constructor(nextOrder: () => number) {
    this.#nextOrder = nextOrder
  }

  /** What no sync has covered yet, in order. */
  get unsynced(): readonly Change[] {
    return this.#pending
  }

  /** As this one is now, and independent of it. */
  fork(nextOrder: () => number): Inode {
    const fork = new Inode(nextOrder)
    fork.content = this.content.copy()
    fork.#durable = this.#durable.copy()
    fork.#pending = [...this.#pending]
    return fork
  }

  /** Equal for equal contents that lack the same changes on stable storage. */
  fingerprint(): string {
    const now = this.content.fingerprint()
    if (this.#pending.length === 0) return now
    const changes = this.#pending.map((change) =>
      change.kind === 'write'
        ? `${change.position}:${hash('sha1', change.bytes, 'base64')}`
        : `to ${change.size}`,
    )
    return [now, this.#durable.fingerprint(), ...changes].join()
  }

  write(bytes: Uint8Array, position: number): void {
    this.content.write(bytes, position)
    this.#pending.push({ order: this.#nextOrder(), kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(size: number): void {
    this.content.truncate(size)
    this.#pending.push({ order: this.#nextOrder(), kind: 'truncate', size })
  }

  /** Names everything written so far, for {@link synced} or {@link syncFailed}. */
  mark(): number {
    return this.#pending.at(-1)?.order ?? 0
  }

  /** Everything up to `mark` has reached stable storage. */
  synced(mark: number): void {
    for (const change of this.#take(mark)) apply(this.#durable, change)
  }

  /**
   * The sync failed: as on Linux, the pages count as clean afterwards, so no later sync brings them to disk;
   * the seed decides which of them had got there.
   */
  syncFailed(mark: number, random: SeededRandom): void {
    applySurvivors(this.#durable, this.#take(mark), random)
  }

  /** Power is gone: the content becomes what the disk holds. */
  crash(random: SeededRandom): void {
    applySurvivors(this.#durable, this.#pending, random)
    this.#pending = []
    this.content = this.#durable.copy()
  }

  /** As {@link crash}, with `survival` in place of the seed. */
  crashAs(survival: Survival): void {
    applyChosen(this.#durable, this.#pending, survival)
    this.#pending = []
    this.content = this.#durable.copy()
  }

  #take(mark: number): Change[] {
    const later = this.#pending.findIndex((change) => change.order > mark)
    return this.#pending.splice(0, later === -1 ? this.#pending.length : later)
  }
}

function apply(content: FileContent, change: Change): void {
  if (change.kind === 'write') content.write(change.bytes, change.position)
  else content.truncate(change.size)
}

/** Which sectors survive: none, all, or each as the seed says. */
function applySurvivors(content: FileContent, changes: readonly Change[], random: SeededRandom): void {
  const fate = random.below(4)
  if (fate === 0) return
  const writes = new Map<number, number>()
  for (const change of changes) {
    for (const { sector } of sectorsOf(change)) writes.set(sector, (writes.get(sector) ?? 0) + 1)
  }
  // By sector: how many of its writes, from the first, are on the disk.
  const left = new Map(
    [...writes].map(([sector, count]) => [sector, fate === 1 ? count : survivorsOf(count, random)]),
  )
  for (const change of changes) {
    if (change.kind === 'truncate') {
      if (fate === 1 || random.chance(2, 3)) content.truncate(change.size)
      continue
    }
    for (const { sector, from, to } of sectorsOf(change)) {
      const count = left.get(sector) ?? 0
      if (count > 0) content.write(change.bytes.subarray(from - change.position, to - change.position), from)
      left.set(sector, count - 1)
    }
  }
}

/** Of each sector everything up to the last write that is kept: a sector is written back as it is then. */
function applyChosen(content: FileContent, changes: readonly Change[], survival: Survival): void {
  const lastKept = new Map<number, number>()
  for (const change of changes) {
    for (const { sector } of sectorsOf(change)) {
      if (survival.keeps(change.order, sector)) lastKept.set(sector, change.order)
    }
  }
  for (const change of changes) {
    if (change.kind === 'truncate') {
      if (survival.keeps(change.order)) content.truncate(change.size)
      continue
    }
    for (const { sector, from, to } of sectorsOf(change)) {
      if (change.order <= (lastKept.get(sector) ?? -1)) {
        content.write(change.bytes.subarray(from - change.position, to - change.position), from)
      }
    }
  }
}

/** Numbers of the sectors that a write touches, in order. */
export function sectorsTouched(position: number, bytes: number): readonly number[] {
  const first = Math.floor(position / SECTOR_BYTES)
  const last = bytes === 0 ? first - 1 : Math.floor((position + bytes - 1) / SECTOR_BYTES)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function survivorsOf(count: number, random: SeededRandom): number {
  const fate = random.below(3)
  if (fate === 0) return 0
  return fate === 1 ? count : random.between(0, count)
}

/** The pieces of a write, by sector. */
function* sectorsOf(
  change: Change,
): Iterable<{ readonly sector: number; readonly from: number; readonly to: number }> {
  if (change.kind === 'truncate') return
  const end = change.position + change.bytes.length
  for (let from = change.position; from < end;) {
    const sector = Math.floor(from / SECTOR_BYTES)
    const to = Math.min(end, (sector + 1) * SECTOR_BYTES)
    yield { sector, from, to }
    from = to
  }
}

/** The part of a write before or after a sector boundary, whichever the seed says. */
export function tear(
  bytes: Buffer,
  position: number,
  random: SeededRandom,
): { readonly bytes: Buffer; readonly position: number } {
  const firstSector = Math.floor(position / SECTOR_BYTES)
  const lastSector = Math.floor((position + bytes.length) / SECTOR_BYTES)
  const boundary = random.between(firstSector, lastSector) * SECTOR_BYTES
  const cut = Math.max(0, Math.min(bytes.length, boundary - position))
  return random.chance(3, 4)
    ? { bytes: bytes.subarray(0, cut), position }
    : { bytes: bytes.subarray(cut), position: position + cut }
}
