import fc from 'fast-check'
import { mutated, mutations } from './mutation.ts'

/** What a hostile peer sends: something sound with a few changes, now and then bytes without any sense. */
export function hostileInputs(corpus: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
  if (corpus.length === 0) return random
  const changed = fc
    .tuple(fc.nat(corpus.length - 1), fc.array(mutations, { maxLength: 6, size: 'max' }))
    .map(([index, changes]) =>
      changes.reduce((input, change) => mutated(input, change, corpus), corpus[index] ?? Buffer.alloc(0)),
    )
  return fc.oneof({ weight: 15, arbitrary: changed }, { weight: 1, arbitrary: random })
}
