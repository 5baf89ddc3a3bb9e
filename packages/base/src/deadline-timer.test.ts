import { expect, test } from 'vitest'
import { DeadlineTimer, type Clock } from './index.ts'

/** A clock that stands still, and counts what is asked of it. */
function stopped(): { clock: Clock; armed: { delayMs: number; fire: () => void; isCancelled: boolean }[] } {
  const armed: { delayMs: number; fire: () => void; isCancelled: boolean }[] = []
  const after: Clock['after'] = (delayMs, fire) => {
    const timer = { delayMs, fire, isCancelled: false }
    armed.push(timer)
    return { cancel: () => (timer.isCancelled = true) }
  }
  return { clock: { now: () => 0, monotonic: () => 100, after }, armed }
}

test('a deadline that moves away costs no timer, one that comes nearer does', () => {
  const { clock, armed } = stopped()
  const timer = new DeadlineTimer(clock, () => undefined)
  timer.arm(150)
  timer.arm(160)
  timer.arm(170)
  expect(armed.map(({ delayMs }) => delayMs)).toEqual([50])
  timer.arm(120.5)
  expect(armed.map(({ delayMs, isCancelled }) => [delayMs, isCancelled])).toEqual([
    [50, true],
    [21, false],
  ])
})

test('once fired or cancelled it can be armed for any time; a deadline that is past is now', () => {
  const { clock, armed } = stopped()
  let fired = 0
  const timer = new DeadlineTimer(clock, () => (fired += 1))
  timer.arm(10)
  expect(armed[0]?.delayMs).toBe(0)
  armed[0]?.fire()
  expect(fired).toBe(1)
  timer.arm(500)
  timer.arm(undefined)
  timer.arm(700)
  expect(armed.map(({ delayMs, isCancelled }) => [delayMs, isCancelled])).toEqual([
    [0, false],
    [400, true],
    [600, false],
  ])
})
