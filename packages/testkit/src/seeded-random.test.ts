import { expect, test } from 'vitest'
import { SeededRandom } from './seeded-random.ts'

function draw(seed: number): number[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: 20 }, () => random.below(1_000_000))
}

test('the same seed draws the same, another seed does not', () => {
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('draws cover the range evenly and stay inside it', () => {
  const random = new SeededRandom(1)
  const counts = Array.from({ length: 10 }, () => 0)
  for (let count = 0; count < 10_000; count += 1) {
    const value = random.between(0, 9)
    counts[value] = (counts[value] ?? 0) + 1
  }
  expect(counts).toHaveLength(10)
  for (const count of counts) expect(count).toBeGreaterThan(850)
})

test('shuffling keeps every item', () => {
  const random = new SeededRandom(3)
  const items = [1, 2, 3, 4, 5, 6, 7, 8]
  const order = random.shuffled(items)
  expect(order).not.toEqual(items)
  expect(order.toSorted((one, other) => one - other)).toEqual(items)
})
