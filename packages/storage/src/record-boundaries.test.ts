import { expect, test } from 'vitest'
import { RecordBoundaries } from './record-boundaries.ts'

test('what was flushed in the middle of a record counts up to that record', () => {
  const boundaries = new RecordBoundaries(100)
  expect(boundaries.atOrBelow(150)).toBe(100)
  boundaries.note(160)
  boundaries.note(300)
  expect(boundaries.atOrBelow(159)).toBe(100)
  expect(boundaries.atOrBelow(200)).toBe(160)
  expect(boundaries.atOrBelow(300)).toBe(300)
})

test('boundaries that no sync follows take no memory without end, and none is made up', () => {
  const boundaries = new RecordBoundaries(0)
  for (let at = 7; at <= 7 * 100_000; at += 7) boundaries.note(at)
  const found = boundaries.atOrBelow(7 * 50_000 + 3)
  expect(found % 7).toBe(0)
  expect(boundaries.atOrBelow(7 * 100_000)).toBe(7 * 100_000)
})
