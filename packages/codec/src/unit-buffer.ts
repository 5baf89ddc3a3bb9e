/** Kept this small, nothing is gained by a smaller one. */
const CAPACITY_MIN = 64

/**
 * What of a stream has arrived and is not consumed yet. A chunk is used as it is; only what is left of it is copied, into a buffer that grows by
 * doubling, so that a unit that arrives byte by byte costs a few times its length and not its square.
 */
export class UnitBuffer {
  #store: Buffer = Buffer.alloc(0)
  #from = 0
  #to = 0
  /** Whether the store is ours to write to; otherwise it is a chunk of the caller's. */
  #isOwn = false

  get length(): number {
    return this.#to - this.#from
  }

  /** All that is there. Stays as it is when more is fed. */
  get bytes(): Buffer {
    return this.#store.subarray(this.#from, this.#to)
  }

  feed(chunk: Buffer): void {
    if (this.length === 0) {
      this.#store = chunk
      this.#from = 0
      this.#to = chunk.length
      this.#isOwn = false
      return
    }
    if (!this.#isOwn || this.#to + chunk.length > this.#store.length) {
      this.#move(Math.max(2 * this.length, this.length + chunk.length))
    }
    this.#to += chunk.copy(this.#store, this.#to)
  }

  /** Takes the first `count` bytes; borrowed from the chunk, or from what was copied. */
  take(count: number): Buffer {
    const taken = this.#store.subarray(this.#from, Math.min(this.#from + count, this.#to))
    this.#from += taken.length
    return taken
  }

  /** More is to come: a few bytes do not hold on to the socket's whole chunk. */
  keep(): void {
    if (!this.#isOwn || this.#store.length > 4 * Math.max(CAPACITY_MIN, this.length))
      this.#move(2 * this.length)
  }

  #move(capacity: number): void {
    const moved = Buffer.allocUnsafe(Math.max(CAPACITY_MIN, capacity))
    this.#to = this.#store.copy(moved, 0, this.#from, this.#to)
    this.#from = 0
    this.#store = moved
    this.#isOwn = true
  }
}
