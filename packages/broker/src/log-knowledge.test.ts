import { expect, test } from 'vitest'
import { knowledgeOf } from './log-knowledge.ts'

/** A slave that has heard of epoch 2 and copied only part of epoch 1. */
const knowledge = knowledgeOf({
  end: 300,
  epochAt: () => 1,
  lineage: {
    logId: '0'.repeat(32),
    epochs: [
      { epoch: 1, start: 0, opener: '' },
      { epoch: 2, start: 500, opener: '' },
    ],
  },
  queue: () => undefined,
})

test.each([
  ['its own record', 1, 200, true],
  ['another epoch where it has a record', 2, 200, false],
  ['what it has not copied of the older epoch', 1, 400, 'later'],
  ['what it has not copied of the newest', 2, 600, 'later'],
  ['an epoch that it has not heard of yet', 3, 700, 'later'],
  ['the older epoch behind its end: those bytes are cut', 1, 600, false],
  ['a newer epoch before its begin', 2, 400, false],
])('a stamp of %s (rule 5.2)', (_what, logEpoch, physicalOffset, known) => {
  expect(knowledge.knowsStamp({ logEpoch, physicalOffset })).toBe(known)
})
