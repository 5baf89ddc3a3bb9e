import { expect, test } from 'vitest'
import { whyLossIsPossible, type LossEvidence } from './loss.ts'

const sound: LossEvidence = {
  cleanStop: true,
  sameBoot: true,
  hasLineage: true,
  end: 100,
  endOnFile: 100,
  unsettled: false,
}

test.each<[Partial<LossEvidence>, string | undefined]>([
  [{}, undefined],
  [{ end: 120 }, undefined],
  [{ sameBoot: false }, undefined],
  [{ cleanStop: false }, undefined],
  [{ cleanStop: false, sameBoot: false }, 'not clean'],
  [{ end: 99 }, 'was on disk'],
  [{ hasLineage: false }, 'no lineage'],
  [{ unsettled: true }, 'not settled'],
])('rule 3.1: %j', (change, expected) => {
  const why = whyLossIsPossible({ ...sound, ...change })
  if (expected === undefined) expect(why).toBeUndefined()
  else expect(why).toContain(expected)
})
