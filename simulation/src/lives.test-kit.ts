import { expect, test } from 'vitest'
import { live } from './life.ts'

/** One test per seed in [first, last]; a failing one says how to see its whole story. */
export function testLives(first: number, last: number): void {
  const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  test.each(seeds)('the life of seed %i is as promised', async (seed) => {
    const { violations, headline, summary } = await live(seed)
    const words = [headline, summary, ...violations, `npm run simulate -- --seed ${seed}`].join('\n')
    expect(violations, words).toEqual([])
  })
}
