import { Frontier } from '@tandemmq/base'
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

test('the last record of a queue that is held is known as far as the log has the epoch in its own lineage', () => {
  const lineage = { logId: '0'.repeat(32), epochs: [{ epoch: 1, start: 0, opener: '' }] }
  const log = { end: 300, dispatched: new Frontier(300), epochAt: () => 1, lineage }
  const known = knowledgeOf({ ...log, queue: () => queueOf12 })
  expect(known.lastHeld?.('t', 0, 1, 20)).toEqual({
    queueOffset: 11,
    stamp: { logEpoch: 1, physicalOffset: 275 },
  })
  expect(known.lastHeld?.('t', 0, 1, 3)).toMatchObject({ queueOffset: 2 })
  expect(
    known.lastHeld?.('t', 0, 2, 20),
    'what that epoch goes on from may not be all of this log',
  ).toBeUndefined()
  expect(knowledgeOf({ ...log, queue: () => undefined }).lastHeld?.('t', 0, 1, 20)).toBeUndefined()
})

test('how much of a queue an epoch has left is known when the log, and its queues, have come to the next one', () => {
  expect(knowledge.queueEnd?.('t', 0, 1)).toBe('later')
  const dispatched = new Frontier(499)
  const epochs = [
    { epoch: 1, start: 0, opener: '' },
    { epoch: 2, start: 500, opener: '' },
  ]
  const queue = { ...queueOf12, offsetAtOrAfter: (offset: number) => offset / 50 }
  const lineage = { logId: '0'.repeat(32), epochs }
  const later = knowledgeOf({ end: 600, dispatched, epochAt: () => 2, lineage, queue: () => queue })
  expect(later.queueEnd?.('t', 0, 1)).toBe('later')
  dispatched.advance(500)
  expect(later.queueEnd?.('t', 0, 1)).toBe(10)
})
