import { expect, test } from 'vitest'
import { GENERATION_ZERO } from './generation.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { gate } from './stamp-gate.ts'

/** This log gave up the tail of epoch 1 at offset 500, where 10 messages of the queue lie below; epoch 2 goes on from there. */
const log: LogKnowledge = {
  knowsStamp: ({ logEpoch, physicalOffset }) => (logEpoch === 1 ? physicalOffset < 500 : 'later'),
  held: (_topic, _queueId, logEpoch) => ({ end: logEpoch === 1 ? 10 : 12, mayGrow: false }),
}

function progress(acked: readonly (readonly [number, number])[], mark: number) {
  return {
    kind: 'progress' as const,
    group: 'g',
    topic: 't',
    queueId: 0,
    generation: GENERATION_ZERO,
    voidFrom: Number.MAX_SAFE_INTEGER,
    acked,
    marks: [{ queueOffset: mark, stamp: { logEpoch: 1, physicalOffset: mark * 50 } }],
    leases: [],
  }
}

test('acknowledgements reach as far as the highest record that the log knows', () => {
  expect(gate(progress([[0, 8]], 7), log).now).toMatchObject({ acked: [[0, 8]] })
})

test('of a tail that was given up they go, and those below it stay', () => {
  const { now, dropped } = gate(
    progress(
      [
        [0, 9],
        [11, 13],
      ],
      12,
    ),
    log,
  )
  expect(now).toMatchObject({ acked: [[0, 9]], marks: [] })
  expect(dropped).toBe(1)
})

test('without knowledge of the queue, all that a contradicting record vouched for goes', () => {
  const { now } = gate(progress([[0, 13]], 12), { knowsStamp: log.knowsStamp.bind(log) })
  expect(now).toMatchObject({ acked: [] })
})

test('how far they count of a tail that was given up waits for the log to come there', () => {
  const behind: LogKnowledge = { ...log, held: () => ({ end: 0, mayGrow: true }) }
  const { now, later, dropped } = gate(progress([[0, 13]], 12), behind)
  expect([now, later?.change, dropped]).toMatchObject([{ acked: [] }, { acked: [[0, 13]] }, 0])
  expect(later && gate(later.change, log)).toMatchObject({
    now: { acked: [[0, 10]] },
    later: undefined,
    dropped: 1,
  })
})

test('a log that lacks the last bytes of an epoch knows what was acknowledged before them', () => {
  const held = { queueOffset: 9, stamp: { logEpoch: 1, physicalOffset: 450 } }
  const behind: LogKnowledge = {
    knowsStamp: ({ physicalOffset }) => physicalOffset < 500 || 'later',
    held: () => ({ end: 10, last: held, mayGrow: true }),
  }
  const { now, later, dropped } = gate(progress([[0, 13]], 12), behind)
  expect(now).toMatchObject({ acked: [[0, 10]], marks: [held] })
  expect(later?.change).toMatchObject({ acked: [[0, 13]] })
  expect(dropped).toBe(0)
})
