import { expect, test } from 'vitest'
import type { RegistryAnswer } from './registry-answer.ts'
import { TokenHolder } from './token-holder.ts'

function grant(sequence: number, epoch: number): RegistryAnswer {
  return {
    sequence,
    token: { epoch, holder: 'me', leaseMs: 2000, yours: true },
    members: [],
    highestLogEpoch: 1,
  }
}

test('a grant that was on its way when the promise was given is not taken, one asked for afterwards is (rule 4.6)', () => {
  const holder = new TokenHolder()
  holder.sent(1, 1_000)
  expect(holder.abstain(4_000, 2_000)).toBe(true)
  expect(holder.words(2_500).wants).toBe('nothing')
  holder.answered(grant(1, 7))
  expect(holder.servingEpoch(2_501)).toBeUndefined()
  holder.sent(2, 3_999)
  holder.answered(grant(2, 7))
  expect(holder.servingEpoch(4_100)).toBeUndefined()
  holder.sent(3, 4_000)
  expect(holder.words(4_000).wants).toBeUndefined()
  holder.answered(grant(3, 7))
  expect(holder.servingEpoch(4_100)).toBe(7)
  expect(holder.abstain(6_200, 4_200), 'whoever holds it cannot promise').toBe(false)
})

test('a lease is prolonged under its own epoch, forwards, and not once it is over (rule 4.6)', () => {
  const holder = new TokenHolder()
  holder.sent(1, 0)
  holder.answered(grant(1, 7))
  expect(holder.leaseEnd).toBe(1_800)
  holder.prolong(6, 3_000, 1_000)
  expect(holder.leaseEnd).toBe(1_800)
  holder.prolong(7, 1_500, 1_000)
  expect(holder.leaseEnd).toBe(1_800)
  holder.prolong(7, 3_000, 1_000)
  expect(holder.leaseEnd).toBe(3_000)
  holder.prolong(7, 5_000, 3_000)
  expect(holder.mayServe(3_000)).toBe(false)
})

test('served by promise is only what all others have promised, and as long as they have (rule 4.6)', () => {
  const holder = new TokenHolder()
  holder.sent(1, 0)
  holder.answered(grant(1, 7))
  expect(holder.isPromised(1_000)).toBe(false)
  holder.prolong(7, 1_500, 1_000)
  expect(holder.leaseEnd, 'the lease is longer than the promise').toBe(1_800)
  expect([holder.isPromised(1_499), holder.isPromised(1_500), holder.mayServe(1_500)]).toEqual([
    true,
    false,
    true,
  ])
  holder.prolong(7, 2_500, 1_700)
  expect(holder.isPromised(2_400)).toBe(true)
  holder.seal(2_400)
  expect(holder.isPromised(2_400)).toBe(false)
})
