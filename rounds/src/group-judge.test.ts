import { describe, expect, test } from 'vitest'
import type { Delivery } from './delivery.ts'
import { GroupJudge } from './group-judge.ts'
import { Sends, type Fate } from './sends.ts'
import { ServingHistory } from './serving-history.ts'

const FIRST: Delivery = { number: 1, queueId: 0, queueOffset: 0, attempt: 1, deliveredAt: 0, epoch: 7 }
const SECOND: Delivery = { ...FIRST, number: 2, queueOffset: 1 }
/** Later than any acknowledgement of this test. */
const LATER = Date.now() + 3_600_000
/** The services have logged nothing. */
const NO_HISTORY = new ServingHistory({ grants: [], handBacks: [], absences: [], lostPowerAt: new Map() })
const AGAIN: Delivery = { ...FIRST, attempt: 2, deliveredAt: LATER }

function judgeOf(isOrderly: boolean, ...fates: readonly Fate[]): GroupJudge {
  const sends = new Sends()
  for (const fate of fates) sends.settle(sends.begin(0), fate)
  return new GroupJudge('group', isOrderly, sends)
}

function acknowledge(judge: GroupJudge, delivery: Delivery): void {
  judge.ackSent(delivery)
  judge.ackTaken(delivery)
}

describe('a consumer group', () => {
  test('misses what was acknowledged to the producer and never came', () => {
    const judge = judgeOf(false, 'acknowledged', 'unknown', 'acknowledged')
    judge.delivered([FIRST])
    expect(judge.missing()).toEqual([3])
    expect(judge.outstanding()).toEqual([1, 3])
    acknowledge(judge, FIRST)
    expect(judge.outstanding()).toEqual([3])
  })

  test('does not wait for what an acknowledgement of unknown fate may have settled', () => {
    const judge = judgeOf(false, 'acknowledged')
    judge.delivered([FIRST])
    judge.ackSent(FIRST)
    judge.ackUnknown(FIRST)
    expect(judge.outstanding()).toEqual([])
  })

  test('is not given what nobody sent, what was refused, what is another message than before', () => {
    const judge = judgeOf(false, 'refused', 'unknown')
    judge.delivered([FIRST, SECOND, { ...FIRST, queueOffset: 2, number: 9 }])
    judge.delivered([{ ...SECOND, number: 1 }])
    expect(judge.violations).toEqual([
      expect.stringContaining('message 1 (queue 0, offset 0, attempt 1'),
      expect.stringContaining('nobody sent that'),
      expect.stringContaining('its send was refused'),
      expect.stringContaining('it was message 2 before'),
    ])
  })

  test('gets nothing again under the same epoch once its acknowledgement was answered', () => {
    const judge = judgeOf(false, 'acknowledged')
    judge.misfortune(0)
    judge.delivered([FIRST])
    judge.delivered([{ ...AGAIN, deliveredAt: 1 }])
    acknowledge(judge, FIRST)
    // It had left before the answer.
    judge.delivered([{ ...AGAIN, deliveredAt: 1, attempt: 3 }])
    expect(judge.violations).toEqual([])
    judge.delivered([AGAIN])
    expect(judge.violations).toEqual([expect.stringContaining('it comes again')])
    expect(judge).toMatchObject({ again: 3, excused: 0 })
  })

  test('may get again from another one what was acknowledged since the misfortune began, and nothing older', () => {
    for (const [struckAt, violations] of [
      [Date.now() - 1_000, 0],
      [Date.now() + 400, 0],
      [Date.now() + 60_000, 1],
      [undefined, 1],
    ] as const) {
      const judge = judgeOf(false, 'acknowledged')
      judge.misfortune(struckAt)
      judge.delivered([FIRST])
      acknowledge(judge, FIRST)
      judge.delivered([{ ...AGAIN, epoch: 8 }])
      judge.judgeRepeats(NO_HISTORY)
      expect([struckAt, judge.violations.length, judge.excused]).toEqual([
        struckAt,
        violations,
        1 - violations,
      ])
    }
  })

  test('that is orderly may get again what comes behind a delivery that it has not seen', () => {
    const judge = judgeOf(true, 'acknowledged')
    judge.delivered([FIRST])
    acknowledge(judge, FIRST)
    judge.delivered([{ ...AGAIN, attempt: 3 }])
    expect(judge).toMatchObject({ violations: [], excused: 1 })
  })

  test('that is orderly gets nothing before its predecessors have come and were acknowledged', () => {
    const together = judgeOf(true, 'acknowledged', 'acknowledged')
    together.delivered([FIRST, SECOND])
    expect(together.violations).toEqual([])

    const settled = judgeOf(true, 'acknowledged', 'acknowledged')
    settled.delivered([FIRST])
    settled.ackSent(FIRST)
    settled.delivered([SECOND])
    expect(settled.violations).toEqual([])

    const early = judgeOf(true, 'acknowledged', 'acknowledged')
    early.delivered([FIRST])
    early.delivered([SECOND])
    expect(early.violations).toEqual([expect.stringContaining('offset 0 was not acknowledged yet')])

    const skipped = judgeOf(true, 'acknowledged', 'acknowledged')
    skipped.delivered([SECOND])
    expect(skipped.violations).toEqual([expect.stringContaining('out of order')])

    const turned = judgeOf(true, 'acknowledged', 'acknowledged')
    turned.delivered([SECOND, FIRST])
    expect(turned.violations).toEqual([expect.stringContaining('offset 0 has not come yet')])
  })
})
