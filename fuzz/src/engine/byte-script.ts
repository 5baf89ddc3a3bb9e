/**
 * Reads decisions from bytes, for targets whose input is a sequence of events: what bytes remain are enough for any decision, so that every
 * input means something, and mutations of a good script stay close to it.
 */
export class ByteScript {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** 0 to 255; 0 at the end. */
  byte(): number {
    const value = this.#bytes[this.#at] ?? 0
    this.#at += 1
    return value
  }

  /** In [0, bound), bound ≤ 256. */
  below(bound: number): number {
    return this.byte() % bound
  }

  /** A 16-bit number. */
  short(): number {
    return this.byte() * 256 + this.byte()
  }

  /** A 64-bit number, as far as numbers go. */
  long(): number {
    let value = 0
    for (let index = 0; index < 8; index += 1) value = value * 256 + this.byte()
    return Math.min(value, Number.MAX_SAFE_INTEGER)
  }

  /** At most `count` bytes, as many as are left. */
  take(count: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  rest(): Buffer {
    return this.take(Math.max(0, this.#bytes.length - this.#at))
  }
}
