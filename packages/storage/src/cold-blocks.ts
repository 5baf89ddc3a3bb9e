import type { LogOffset } from '@tandemmq/base'

interface Block {
  readonly start: LogOffset
  readonly bytes: Buffer
  /** Whether the memory is one of the pieces that are used again. */
  readonly isPiece: boolean
}

/** What a block takes besides its bytes, about. */
const BLOCK_OVERHEAD_BYTES = 512
/** Pieces kept for use again besides those that hold something. */
const SPARE_MAX = 4

/**
 * Parts of the log that were read from files and may be wanted again: a bounded number of bytes, the oldest go first. Their memory is used again, so
 * that nobody is given a view of it: {@link bytes} are a copy, or a block of its own that holds nothing else.
 */
export class ColdBlocks {
  readonly pieceBytes: number
  readonly #bytesMax: number
  /** By `start`, ascending. */
  readonly #sorted: Block[] = []
  /** In the order in which they came. */
  readonly #ages = new Set<Block>()
  readonly #spare: Buffer[] = []
  #held = 0

  /** @param bytesMax of all blocks together; the newest stays in any case */
  constructor(bytesMax: number, pieceBytes: number) {
    this.#bytesMax = bytesMax
    this.pieceBytes = pieceBytes
  }

  /** Bytes of memory in use. */
  get held(): number {
    return this.#held
  }

  /** Memory to read `size` bytes into; {@link add} takes it back, or {@link giveBack}. */
  room(size: number): Buffer {
    if (size > this.pieceBytes / 2 && size <= this.pieceBytes) {
      const spare = this.#spare.pop()
      return (spare ?? Buffer.allocUnsafeSlow(this.pieceBytes)).subarray(0, size)
    }
    return Buffer.allocUnsafeSlow(size)
  }

  giveBack(room: Buffer): void {
    const isPiece = room.buffer.byteLength === this.pieceBytes
    if (isPiece && this.#spare.length < SPARE_MAX) this.#spare.push(Buffer.from(room.buffer))
  }

  /** The log has `bytes` (a {@link room}) at `start`. */
  add(start: LogOffset, bytes: Buffer): void {
    const block = { start, bytes, isPiece: bytes.buffer.byteLength === this.pieceBytes }
    this.#sorted.splice(this.#indexBehind(start), 0, block)
    this.#ages.add(block)
    this.#held += costOf(block)
    for (const oldest of this.#ages) {
      if (this.#held <= this.#bytesMax || oldest === block) break
      this.#remove(oldest)
    }
  }

  has(offset: LogOffset, size: number): boolean {
    return this.#find(offset, size) !== undefined
  }

  /** The `size` bytes at `offset`, which never change; `undefined`: they are not here. */
  bytes(offset: LogOffset, size: number): Buffer | undefined {
    const block = this.#find(offset, size)
    if (block === undefined) return undefined
    const at = offset - block.start
    if (!block.isPiece && size === block.bytes.length) return block.bytes
    const copy = Buffer.allocUnsafe(size)
    block.bytes.copy(copy, 0, at, at + size)
    return copy
  }

  /** The log begins at `offset` now. */
  dropBelow(offset: LogOffset): void {
    for (const block of this.#ages) if (block.start < offset) this.#remove(block)
  }

  clear(): void {
    this.dropBelow(Infinity)
    this.#spare.length = 0
  }

  /** The last block that begins at or before `offset`. Blocks may overlap; one within another is of no use. */
  #find(offset: LogOffset, size: number): Block | undefined {
    const block = this.#sorted[this.#indexBehind(offset) - 1]
    return block !== undefined && offset + size <= block.start + block.bytes.length ? block : undefined
  }

  /** Where the first block lies that begins behind `offset`. */
  #indexBehind(offset: LogOffset): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sorted[middle]?.start ?? Infinity) <= offset) low = middle + 1
      else high = middle
    }
    return low
  }

  #remove(block: Block): void {
    this.#ages.delete(block)
    let index = this.#indexBehind(block.start) - 1
    while (this.#sorted[index] !== block) index -= 1
    this.#sorted.splice(index, 1)
    this.#held -= costOf(block)
    this.giveBack(block.bytes)
  }
}

function costOf({ bytes }: Block): number {
  return bytes.buffer.byteLength + BLOCK_OVERHEAD_BYTES
}
