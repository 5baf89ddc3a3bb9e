import { invariant } from '@tandemmq/base'

const MULTIPLIER = 2862933555777941757n
const MASK = (1n << 64n) - 1n
const TWO_TO_31 = 0x8000_0000

/**
 * A bucket in [0, buckets) for a hash: the same one in every process, and when a bucket is added only 1/n of the hashes move (the jump
 * hash of Lamping and Veach, as Guava's `Hashing.consistentHash`, which Apache's proxy uses for message groups).
 */
export function consistentHash(hash: number | bigint, buckets: number): number {
  invariant(buckets > 0, 'there must be a bucket to choose')
  let state = BigInt(hash) & MASK
  let candidate = 0
  for (;;) {
    state = (MULTIPLIER * state + 1n) & MASK
    // Java narrows `state >>> 33` to an int: 31 bits, so it is never negative.
    const fraction = (Number(state >> 33n) + 1) / TWO_TO_31
    const next = Math.floor((candidate + 1) / fraction)
    if (next >= buckets) return candidate
    candidate = next
  }
}
