import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { APART_MS, MasterReach } from './master-reach.ts'

const THERE = { alive: true, writable: true }

function missed() {
  const clock = new SimulatedClock()
  const reach = new MasterReach(clock)
  reach.heard(THERE)
  return { clock, reach }
}

test('rule 4.7: a master that the registry hears is apart after 5 s without a connection', async () => {
  const { clock, reach } = missed()
  await clock.advance(APART_MS - 1)
  reach.heard(THERE)
  expect(reach.isApart).toBe(false)
  await clock.advance(1)
  expect(reach.isApart).toBe(true)
})

test('what has not been heard by the registry is not apart, however long it is not connected', async () => {
  const clock = new SimulatedClock()
  const reach = new MasterReach(clock)
  reach.connected(false)
  await clock.advance(2 * APART_MS)
  expect(reach.isApart).toBe(false)
  reach.heard(THERE)
  expect(reach.isApart).toBe(false)
})

test.each([
  ['a connection', (reach: MasterReach) => reach.connected(true)],
  ['a master that is gone', (reach: MasterReach) => reach.heard({ alive: false, writable: true })],
  ['a master that takes no messages', (reach: MasterReach) => reach.heard({ alive: true, writable: false })],
  ['a set without a master', (reach: MasterReach) => reach.heard(undefined)],
])('%s ends it, and the time counts anew', async (_what, end) => {
  const { clock, reach } = missed()
  await clock.advance(APART_MS)
  end(reach)
  expect(reach.isApart).toBe(false)
  reach.connected(false)
  reach.heard(THERE)
  await clock.advance(APART_MS - 1)
  expect(reach.isApart).toBe(false)
  await clock.advance(1)
  expect(reach.isApart).toBe(true)
})

test('while they are connected nothing counts', async () => {
  const { clock, reach } = missed()
  reach.connected(true)
  reach.heard(THERE)
  await clock.advance(2 * APART_MS)
  expect(reach.isApart).toBe(false)
})
