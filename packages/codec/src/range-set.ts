import { BrokerError } from '@tandemmq/base'
import type { FieldReader, FieldWriter } from './tagged-fields.ts'

/** `[from, to)`: `from` included, `to` not. */
export type Range = readonly [from: number, to: number]

/**
 * A set of integers in [0, 2^53) kept as sorted, disjoint ranges that never touch each other. Acknowledged queue offsets
 * are mostly one long range with a few holes, so it stays small however many there are.
 */
export class RangeSet {
  /** Parallel: the i-th range is `[#from[i], #to[i])`. */
  #from: number[] = []
  #to: number[] = []

  static of(ranges: Iterable<Range>): RangeSet {
    const set = new RangeSet()
    for (const [from, to] of ranges) set.add(from, to)
    return set
  }

  /** How many ranges it takes. */
  get rangeCount(): number {
    return this.#from.length
  }

  get isEmpty(): boolean {
    return this.#from.length === 0
  }

  /** One past the greatest element; 0 when empty. */
  get end(): number {
    return this.#to.at(-1) ?? 0
  }

  /** Adds `[from, to)`, one element by default; false if all of it was there already. */
  add(from: number, to: number = from + 1): boolean {
    if (to <= from) return false
    // All ranges in [first, last) overlap or touch the new one.
    const first = firstIndex(this.#to, from)
    const start = this.#from[first]
    if (start !== undefined && start <= from && (this.#to[first] ?? 0) >= to) return false
    const last = firstIndex(this.#from, to + 1, first)
    const mergedFrom = first < last ? Math.min(from, this.#from[first] ?? from) : from
    const mergedTo = first < last ? Math.max(to, this.#to[last - 1] ?? to) : to
    if (last - first === 1) {
      this.#from[first] = mergedFrom
      this.#to[first] = mergedTo
    } else {
      this.#from.splice(first, last - first, mergedFrom)
      this.#to.splice(first, last - first, mergedTo)
    }
    return true
  }

  has(value: number): boolean {
    const index = firstIndex(this.#to, value + 1)
    return (this.#from[index] ?? Infinity) <= value
  }

  /** How many elements lie in `[from, to)`. */
  countIn(from: number, to: number): number {
    let count = 0
    for (let index = firstIndex(this.#to, from + 1); (this.#from[index] ?? Infinity) < to; index++) {
      count += Math.min(to, this.#to[index] ?? to) - Math.max(from, this.#from[index] ?? from)
    }
    return count
  }

  /** The smallest integer ≥ `from` that is not in the set. */
  firstGap(from = 0): number {
    const index = firstIndex(this.#to, from + 1)
    return (this.#from[index] ?? Infinity) <= from ? (this.#to[index] ?? from) : from
  }

  /** Adds everything in `other`; false if nothing was new. */
  union(other: RangeSet): boolean {
    let changed = false
    for (const [from, to] of other.ranges()) changed = this.add(from, to) || changed
    return changed
  }

  /** Removes everything ≥ `end`; false if nothing was there. */
  cut(end: number): boolean {
    if (this.end <= end) return false
    const kept = firstIndex(this.#from, end)
    this.#from.length = kept
    this.#to.length = kept
    if (kept > 0) this.#to[kept - 1] = Math.min(end, this.#to[kept - 1] ?? end)
    return true
  }

  /** Removes `[from, to)`, one element by default; false if nothing was there. */
  remove(from: number, to: number = from + 1): boolean {
    // All ranges in [first, last) overlap it; of the outermost something may stay.
    const first = firstIndex(this.#to, from + 1)
    const last = firstIndex(this.#from, to, first)
    if (to <= from || first === last) return false
    const before: Range = [this.#from[first] ?? from, from]
    const behind: Range = [to, this.#to[last - 1] ?? to]
    const left = [before, behind].filter(([start, end]) => start < end)
    this.#from.splice(first, last - first, ...left.map(([start]) => start))
    this.#to.splice(first, last - first, ...left.map(([, end]) => end))
    return true
  }

  *ranges(): Generator<Range> {
    for (let index = 0; index < this.#from.length; index++) {
      yield [this.#from[index] ?? 0, this.#to[index] ?? 0]
    }
  }

  clone(): RangeSet {
    const copy = new RangeSet()
    copy.#from = this.#from.slice()
    copy.#to = this.#to.slice()
    return copy
  }

  equals(other: RangeSet): boolean {
    return (
      this.#from.length === other.#from.length &&
      this.#from.every((from, index) => from === other.#from[index] && this.#to[index] === other.#to[index])
    )
  }

  /** Packed: for each range the gap since the end of the one before, then its length. */
  encode(writer: FieldWriter): void {
    let end = 0
    for (const [from, to] of this.ranges()) {
      writer.varint(from - end).varint(to - from)
      end = to
    }
  }

  /** Reads to the reader's end. Throws `PROTOCOL_VIOLATION`. */
  static decode(reader: FieldReader): RangeSet {
    const set = new RangeSet()
    let end = 0
    while (!reader.atEnd) {
      const from = end + reader.varint()
      const to = from + reader.varint()
      const isOrdered = to > from && (from > end || set.isEmpty)
      if (!isOrdered || !Number.isSafeInteger(to)) {
        throw new BrokerError('PROTOCOL_VIOLATION', `a set of ranges holds [${from}, ${to}) after ${end}`)
      }
      set.#from.push(from)
      set.#to.push(to)
      end = to
    }
    return set
  }
}

/** The first index ≥ `low` whose value is ≥ `wanted`, in a sorted array. */
function firstIndex(sorted: readonly number[], wanted: number, low = 0): number {
  let left = low
  let right = sorted.length
  while (left < right) {
    const middle = (left + right) >>> 1
    if ((sorted[middle] ?? Infinity) < wanted) left = middle + 1
    else right = middle
  }
  return left
}
