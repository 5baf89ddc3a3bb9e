import { expect, test } from 'vitest'
import { DueOfGroup, DueTimers } from './due-timers.ts'

test('rule 5.6: a group looks at what it is not done with, in the order in which it became due, and not again at the rest', () => {
  const timers = new DueTimers()
  for (const offset of [5, 1, 9, 3]) timers.add('orders', offset)
  const due = new DueOfGroup(timers.of('orders') ?? [])
  const asked: number[] = []
  const over = new Set([1])
  const looks = (limit: number): number[] => {
    const seen: number[] = []
    due.visit(
      (offset) => {
        asked.push(offset)
        return over.has(offset)
      },
      (offset, ahead) => {
        if (seen.length === limit) return false
        seen.push(offset)
        expect(ahead(2)[0]).toBe(offset)
        return true
      },
    )
    return seen
  }
  expect(looks(2)).toEqual([5, 9])
  over.add(5)
  timers.add('orders', 7)
  expect(looks(10)).toEqual([9, 3, 7])
  asked.length = 0
  for (const offset of [9, 3, 7]) over.add(offset)
  expect(looks(10)).toEqual([])
  expect(asked).toEqual([9, 3, 7])
  expect(looks(10)).toEqual([])
  expect(asked).toEqual([9, 3, 7])
  expect(timers.of('bills')).toBeUndefined()
})
