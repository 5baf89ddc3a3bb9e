import type { Random } from '@tandemmq/base'

/** Replays exactly from its seed (the sfc32 generator). Never for anything that must be secret. */
export class SeededRandom implements Random {
  readonly seed: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed` is any integer; its lower 32 bits count. */
  constructor(seed: number) {
    this.seed = seed
    this.#a = seed | 0
    this.#b = 0x9e3779b9
    this.#c = 0x243f6a88
    for (let round = 0; round < 16; round += 1) this.#next()
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    for (let at = 0; at < count; at += 1) bytes[at] = this.#next() & 0xff
    return bytes
  }

  below(bound: number): number {
    const high = this.#next() >>> 11 // 21 bits
    const low = this.#next() >>> 0 // 32 bits
    return Math.floor(((high * 0x1_0000_0000 + low) / 0x20_0000_0000_0000) * bound)
  }

  /** An integer in [min, max], both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** True `numerator` times out of `denominator`. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator
  }

  /** A permutation of `items`; the argument stays as it is. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    const order: T[] = []
    while (left.length > 0) order.push(...left.splice(this.below(left.length), 1))
    return order
  }

  /** An independent generator that follows from this one's state: one per part keeps the parts' draws apart. */
  fork(): SeededRandom {
    return new SeededRandom(this.#next())
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum
  }
}

/** A span of milliseconds from which a delay is drawn; both ends included. */
export interface Span {
  readonly min: number
  readonly max: number
}
