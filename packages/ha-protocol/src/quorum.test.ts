import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CopyRate } from './copy-rate.ts'
import { replicatedEnd } from './quorum.ts'

test('the n-th best position, and the furthest that n identities hold', () => {
  expect(replicatedEnd([900, 500, 700], 2)).toBe(700)
  expect(replicatedEnd([900, 500, 700], 3)).toBe(500)
  expect(replicatedEnd([900], 2)).toBe(0)
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 6 }),
      (positions, needed) => {
        const end = replicatedEnd(positions, needed)
        const holders = (at: number): number => positions.filter((position) => position >= at).length
        if (end > 0) expect(holders(end)).toBeGreaterThanOrEqual(needed)
        expect(holders(end + 1)).toBeLessThan(needed)
      },
    ),
  )
})

test('an idle link is not a slow one, and round trips of small records do not hide a fast one', () => {
  const rate = new CopyRate()
  rate.sent(0)
  rate.received(1_000_000, 1_000_000, 100)
  rate.received(1_000_000, 0, 200)
  expect(rate.within(1_000)).toBe(10_000_000)
  rate.sent(60_000)
  rate.received(100, 0, 60_010)
  expect(rate.within(1_000)).toBeGreaterThan(8_000_000)
})

test('nothing measured is nothing promised', () => {
  expect(new CopyRate().within(3_000)).toBe(0)
})
