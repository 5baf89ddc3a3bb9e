import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NodeClock } from './node-clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a task runs once after its delay, and not at all when cancelled', () => {
  const clock = new NodeClock()
  const ran: string[] = []
  clock.after(10, () => ran.push('ten'))
  const cancelled = clock.after(5, () => ran.push('five'))
  cancelled.cancel()
  cancelled.cancel()
  vi.advanceTimersByTime(9)
  expect(ran).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ran).toEqual(['ten'])
})

test('a fraction of a millisecond is waited for', () => {
  let ran = 0
  new NodeClock().after(9.2, () => (ran += 1))
  vi.advanceTimersByTime(9)
  expect(ran).toBe(0)
  vi.advanceTimersByTime(1)
  expect(ran).toBe(1)
})

test('no delay is the next turn of the event loop, not a millisecond', async () => {
  vi.useRealTimers()
  const clock = new NodeClock()
  const ran: string[] = []
  clock.after(0, () => ran.push('next'))
  const cancelled = clock.after(0, () => ran.push('cancelled'))
  cancelled.cancel()
  await Promise.resolve()
  expect(ran).toEqual([])
  await turn()
  expect(ran).toEqual(['next'])
})

test('a delay longer than a timer of Node can take is waited for in full', () => {
  const clock = new NodeClock()
  const month = 30 * 24 * 3_600_000
  let ran = 0
  clock.after(month, () => (ran += 1))
  const cancelled = clock.after(month, () => (ran += 100))
  vi.advanceTimersByTime(month - 1)
  cancelled.cancel()
  expect(ran).toBe(0)
  vi.advanceTimersByTime(1)
  expect(ran).toBe(1)
})

test('time only grows on the monotonic clock', () => {
  const clock = new NodeClock()
  const before = clock.monotonic()
  vi.advanceTimersByTime(7)
  expect(clock.monotonic() - before).toBeCloseTo(7)
})
