import { expect, test } from 'vitest'
import { ServingHistory, type HandBack } from './serving-history.ts'

const grants = [
  { epoch: 30, holder: 'master', at: 3_000 },
  { epoch: 10, holder: 'master', at: 1_000 },
  { epoch: 20, holder: 'slave', at: 2_000 },
]
const handBack: HandBack = { from: 'slave', to: 'master', at: 2_900 }

function mustKnow(
  [epoch, ackedAt]: readonly [number, number],
  [again, deliveredAt]: readonly [number, number],
  {
    handBacks = [],
    lostPowerAt,
  }: { readonly handBacks?: readonly HandBack[]; readonly lostPowerAt?: number } = {},
): boolean {
  const lost = new Map(lostPowerAt === undefined ? [] : [['master', lostPowerAt]])
  const delivery = { number: 1, queueId: 0, queueOffset: 0, attempt: 2, deliveredAt, epoch: again }
  return new ServingHistory({ grants, handBacks, lostPowerAt: lost }).mustKnow({ delivery, epoch, ackedAt })
}

test('who took an acknowledgement itself knows it, unless its power was cut since', () => {
  expect(mustKnow([10, 1_500], [30, 3_500])).toBe(true)
  expect(mustKnow([10, 1_500], [30, 3_500], { lostPowerAt: 1_400 })).toBe(true)
  expect(mustKnow([10, 1_500], [30, 3_500], { lostPowerAt: 1_600 })).toBe(false)
})

test('another one knows what was acknowledged before everything was handed to it', () => {
  expect(mustKnow([20, 2_500], [30, 3_500])).toBe(false)
  expect(mustKnow([20, 2_500], [30, 3_500], { handBacks: [handBack] })).toBe(true)
  expect(mustKnow([20, 2_950], [30, 3_500], { handBacks: [handBack] })).toBe(false)
  expect(mustKnow([20, 2_500], [30, 2_800], { handBacks: [handBack] })).toBe(false)
  expect(mustKnow([10, 1_500], [20, 2_500], { handBacks: [handBack] })).toBe(false)
})

test('where two may have taken it, nobody must know', () => {
  expect(mustKnow([10, 2_500], [30, 3_500], { handBacks: [handBack] })).toBe(false)
})
