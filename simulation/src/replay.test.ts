import { expect, test } from 'vitest'
import { live } from './life.ts'
import { planOf } from './plan.ts'

test.each([3, 74])(
  'a life is decided by its seed alone: %i, told twice, is the same to the byte',
  async (seed) => {
    const first = await live(seed)
    await live(seed + 1)
    const second = await live(seed)
    expect(second.story.join('\n')).toBe(first.story.join('\n'))
    expect(second.summary).toBe(first.summary)
    expect(first.story.length).toBeGreaterThan(20)
  },
)

test('rule 5.6: in some lives a slave delivers what is due while its master is away, often', async () => {
  const lives = [await live(5), await live(18)]
  expect(lives.flatMap(({ violations }) => violations)).toEqual([])
  expect(lives.reduce((sum, { servedDue }) => sum + servedDue, 0)).toBeGreaterThan(5)
})

test('200 seeds see every mode, every misfortune and every way to lose the end of a log', () => {
  const plans = Array.from({ length: 200 }, (_, index) => planOf(index + 1))
  const modes = new Set(plans.map(({ mode }) => `${mode.replication} ${mode.flush}`))
  const kinds = new Set(plans.flatMap(({ misfortunes }) => misfortunes.map(({ kind }) => kind)))
  const losses = new Set(plans.flatMap(({ suffixLoss }) => suffixLoss?.of ?? []))
  const links = new Set(plans.flatMap(({ suffixLoss }) => suffixLoss?.link ?? []))
  expect(modes.size).toBe(4)
  expect([...losses].toSorted()).toEqual(['deposed', 'machine', 'power', 'tail'])
  expect(links.size).toBe(4)
  expect(plans.some(({ hasRelay }) => hasRelay)).toBe(true)
  const apart = plans.flatMap((plan) => (plan.apart ? `${plan.mode.replication} ${plan.apart.link}` : []))
  expect(new Set(apart).size).toBe(6)
  expect([...kinds].toSorted()).toEqual([
    'clock-jump',
    'cut',
    'cut-one-way',
    'full-disk',
    'kill',
    'power',
    'reset',
    'slow',
    'slow-disk',
    'stop',
  ])
  expect(new Set(plans.map(({ slaves }) => slaves.length))).toEqual(new Set([1, 2, 3]))
})
