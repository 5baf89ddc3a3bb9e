import { Frontier } from '@tandemmq/base'
import { NOTHING_HELD } from '@tandemmq/metadata'
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
  dispatched: new Frontier(300),
  queue: () => undefined,
})

test.each([
  ['its own record', 1, 200, true],
  ['another epoch where it has a record', 2, 200, false],
  ['what it has not copied of the older epoch', 1, 400, 'later'],
  ['what it has not copied of the newest', 2, 600, 'later'],
  ['an epoch that it has not heard of yet', 3, 700, 'later'],
  ['such an epoch where it has a record: it may be about to give that up', 3, 200, 'later'],
  ['the older epoch behind its end: those bytes are cut', 1, 600, false],
  ['a newer epoch before its begin', 2, 400, false],
])('a stamp of %s (rule 5.2)', (_what, logEpoch, physicalOffset, known) => {
  expect(knowledge.knowsStamp({ logEpoch, physicalOffset })).toBe(known)
})

const queueOf12 = {
  maxOffset: 12,
  offsetAtOrAfter: () => 12,
  unit: (queueOffset: number) =>
    queueOffset < 0 || queueOffset >= 12 ? undefined : { offset: queueOffset * 25, size: 25, tagsCode: 0n },
}

const epochs = [
  { epoch: 1, start: 0, opener: '' },
  { epoch: 3, start: 500, opener: '' },
]
const lineage = { logId: '0'.repeat(32), epochs }
const last = { queueOffset: 11, stamp: { logEpoch: 1, physicalOffset: 275 } }

test('of a queue a log holds what lies before its end, and before the next epoch', () => {
  const dispatched = new Frontier(300)
  const log = { end: 600, dispatched, epochAt: () => 1, lineage, queue: () => queueOf12 }
  const known = knowledgeOf(log)
  expect(known.held?.('t', 0, 1, 20)).toEqual({ end: 12, last, mayGrow: true })
  expect(known.held?.('t', 0, 1, 3)).toMatchObject({ end: 3, last: { queueOffset: 2 } })
  expect(known.held?.('t', 0, 3, 20)).toEqual({ end: 12, last, mayGrow: false })
  dispatched.advance(500)
  const queue = { ...queueOf12, offsetAtOrAfter: (offset: number) => offset / 50 }
  expect(knowledgeOf({ ...log, queue: () => queue }).held?.('t', 0, 1, 20)).toMatchObject({
    end: 10,
    last: { queueOffset: 9 },
    mayGrow: false,
  })
})

test('nothing of an epoch that is none of its own lineage, nor of a queue that it lacks', () => {
  const log = { end: 600, dispatched: new Frontier(600), epochAt: () => 1, lineage }
  expect(knowledgeOf({ ...log, queue: () => queueOf12 }).held?.('t', 0, 2, 20)).toEqual(NOTHING_HELD)
  expect(knowledgeOf({ ...log, queue: () => undefined }).held?.('t', 0, 1, 20)).toEqual(NOTHING_HELD)
})
