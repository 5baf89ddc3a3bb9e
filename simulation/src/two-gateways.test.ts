import { expect, test } from 'vitest'
import { live } from './life.ts'
import { planOf } from './plan.ts'

/** A relay goes on sending to the last master that it heard of (docs/promotion.md). */
test.each([145, 174])(
  'an asynchronous master is cut off with its relay, and said to be off: what it is sent is lost, and nothing else (seed %i)',
  async (seed) => {
    expect(planOf(seed).suffixLoss?.of).toBe('deposed')
    const { violations, summary } = await live(seed)
    expect(violations).toEqual([])
    expect(Number(/(\d+) messages are lost/.exec(summary)?.[1])).toBeGreaterThan(0)
  },
)
