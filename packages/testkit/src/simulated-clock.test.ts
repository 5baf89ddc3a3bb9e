import { expect, test } from 'vitest'
import { MachineClock } from './machine-clock.ts'
import { SIMULATION_START, SimulatedClock } from './simulated-clock.ts'

test('timers run in the order of their instants, then of their creation, each at its own instant', async () => {
  const clock = new SimulatedClock()
  const seen: string[] = []
  const note = (name: string) => () => void seen.push(`${name}@${clock.monotonic()}`)
  clock.after(20, note('c'))
  clock.after(10, note('a'))
  clock.after(10, note('b'))
  await clock.advance(30)
  expect(seen).toEqual(['a@10', 'b@10', 'c@20'])
  expect(clock.monotonic()).toBe(30)
})

test('microtasks settle between two timers', async () => {
  const clock = new SimulatedClock()
  const seen: string[] = []
  clock.after(10, () => {
    void (async () => {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
      seen.push('settled')
    })()
  })
  clock.after(10, () => void seen.push('next'))
  await clock.advance(10)
  expect(seen).toEqual(['settled', 'next'])
})

test('a timer set by a timer runs in the same advance if it is due, and a cancelled one never does', async () => {
  const clock = new SimulatedClock()
  let ran = 0
  const cancelled = clock.after(5, () => (ran += 100))
  clock.after(1, () => {
    cancelled.cancel()
    clock.after(4, () => (ran += 1))
    clock.after(5, () => (ran += 10))
  })
  await clock.advance(5)
  expect(ran).toBe(1)
  await clock.advance(1)
  expect(ran).toBe(11)
})

test('runUntil stops in the instant in which the condition holds, and gives up at its limit', async () => {
  const clock = new SimulatedClock()
  let ready = false
  clock.after(7, () => (ready = true))
  clock.after(8, () => {})
  await clock.runUntil(() => ready, 100)
  expect(clock.monotonic()).toBe(7)
  await expect(clock.runUntil(() => false, 100)).rejects.toThrow('within 100 simulated ms')
})

test('outcome gives what a promise settles to', async () => {
  const clock = new SimulatedClock()
  const later = new Promise((resolve) => clock.after(9, () => resolve('done')))
  expect(await clock.outcome(later)).toBe('done')
  const failing = new Promise((_, reject) => clock.after(1, () => reject(new Error('broken'))))
  await expect(clock.outcome(failing)).rejects.toThrow('broken')
})

test('the wall clock jumps, monotonic time does not', async () => {
  const clock = new SimulatedClock()
  const machine = new MachineClock(clock, 500)
  clock.skew(-3_600_000)
  await clock.advance(10)
  expect(clock.now()).toBe(SIMULATION_START - 3_600_000 + 10)
  expect(machine.now()).toBe(clock.now() + 500)
  expect(clock.monotonic()).toBe(10)
})

test('a frozen machine runs nothing until it thaws, a killed one never', async () => {
  const clock = new SimulatedClock()
  const machine = new MachineClock(clock)
  const seen: number[] = []
  machine.after(10, () => seen.push(clock.monotonic()))
  const cancelled = machine.after(10, () => seen.push(-1))
  machine.after(100, () => seen.push(-2))
  machine.freeze()
  await clock.advance(50)
  expect(seen).toEqual([])
  cancelled.cancel()
  machine.thaw()
  await clock.advance(0)
  expect(seen).toEqual([50])
  machine.kill()
  machine.after(1, () => seen.push(-3))
  await clock.advance(200)
  expect(seen).toEqual([50])
})
