import { expect, test } from 'vitest'
import { live } from './life.ts'
import { regressionSeeds } from './regression-seeds.ts'

test.each(regressionSeeds)(
  'the life of seed $seed is as promised: it has found “$found”',
  async ({ seed }) => {
    const { violations, headline, summary } = await live(seed)
    expect(
      violations,
      [headline, summary, ...violations, `npm run simulate -- --seed ${seed}`].join('\n'),
    ).toEqual([])
  },
)
