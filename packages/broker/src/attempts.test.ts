import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { Attempts } from './attempts.ts'

/** How long until the next may be made, ms. */
async function pauseOf(attempts: Attempts, clock: SimulatedClock): Promise<number> {
  const began = clock.monotonic()
  while (!attempts.mayTry) await clock.advance(500)
  return clock.monotonic() - began
}

test('pauses double up to the longest, and the same words are news once', async () => {
  const clock = new SimulatedClock()
  const attempts = new Attempts(clock, 2_000, 30_000)
  const pauses: number[] = []
  expect(attempts.mayTry).toBe(true)
  expect(attempts.failed('away')).toBe(true)
  pauses.push(await pauseOf(attempts, clock))
  for (let more = 0; more < 5; more += 1) {
    expect(attempts.failed('away')).toBe(false)
    pauses.push(await pauseOf(attempts, clock))
  }
  expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(attempts.failed('refused')).toBe(true)
  attempts.reset()
  expect(attempts.mayTry).toBe(true)
  expect(attempts.failed('refused')).toBe(true)
  expect(await pauseOf(attempts, clock)).toBe(2_000)
})

test('what nobody has wanted for long is not failing any more, and its failure is news', async () => {
  const clock = new SimulatedClock()
  const attempts = new Attempts(clock, 1_000, 1_000)
  expect(attempts.failingForMs).toBeUndefined()
  attempts.failed('away')
  await clock.advance(3_000)
  expect(attempts.failed('away')).toBe(false)
  expect(attempts.failingForMs).toBe(3_000)
  await clock.advance(6_000)
  expect(attempts.failingForMs).toBe(9_000)
  await clock.advance(1)
  expect(attempts.failingForMs).toBeUndefined()
  expect(attempts.failed('away')).toBe(true)
  expect(attempts.failingForMs).toBe(0)
})
