import { FileContent } from './file-content.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What a disk writes in one piece: a write torn by a crash is torn at a multiple of this. */
const SECTOR_BYTES = 512

type Change =
  | { readonly sequence: number; readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly sequence: number; readonly kind: 'truncate'; readonly size: number }

/**
 * One file: what readers see, what is on stable storage, and the changes in between. A crash keeps the
 * stable part and lets each change survive whole, torn at a sector, or not at all, in any order.
 */
export class Inode {
  content = new FileContent()
  #durable = new FileContent()
  #pending: Change[] = []
  #sequence = 0

  write(bytes: Uint8Array, position: number): void {
    this.content.write(bytes, position)
    this.#sequence += 1
    this.#pending.push({ sequence: this.#sequence, kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(size: number): void {
    this.content.truncate(size)
    this.#sequence += 1
    this.#pending.push({ sequence: this.#sequence, kind: 'truncate', size })
  }

  /** Names everything written so far, for {@link synced} or {@link syncFailed}. */
  mark(): number {
    return this.#sequence
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
    for (const change of this.#take(mark)) applySurvivor(this.#durable, change, random)
  }

  /** Power is gone: the content becomes what the disk holds. */
  crash(random: SeededRandom): void {
    for (const change of random.shuffled(this.#pending)) applySurvivor(this.#durable, change, random)
    this.#pending = []
    this.content = this.#durable.copy()
  }

  #take(mark: number): Change[] {
    const later = this.#pending.findIndex((change) => change.sequence > mark)
    return this.#pending.splice(0, later === -1 ? this.#pending.length : later)
  }
}

function apply(content: FileContent, change: Change): void {
  if (change.kind === 'write') content.write(change.bytes, change.position)
  else content.truncate(change.size)
}

function applySurvivor(content: FileContent, change: Change, random: SeededRandom): void {
  const fate = random.below(3)
  if (fate === 0) return
  if (fate === 1 || change.kind === 'truncate') {
    apply(content, change)
    return
  }
  const torn = tear(change.bytes, change.position, random)
  content.write(torn.bytes, torn.position)
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
