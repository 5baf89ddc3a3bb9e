import { BrokerError, Frontier } from '@tandemmq/base'
import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { ReplicaWaits } from './replica-waits.ts'

function waiting() {
  const clock = new SimulatedClock()
  const replicated = new Frontier(0)
  const waits = new ReplicaWaits(replicated, clock)
  const seen: string[] = []
  const reach = (end: number, limitMs: number): void => {
    waits.reached(end, clock.monotonic() + limitMs).then(
      (outcome) => seen.push(`${end} ${outcome} at ${clock.monotonic()}`),
      (reason: unknown) => seen.push(`${end} ${String(reason)}`),
    )
  }
  return { clock, replicated, waits, seen, reach }
}

test('a report completes exactly those whose bytes it covers, whatever the order they came in', async () => {
  const { clock, replicated, seen, reach } = waiting()
  for (const end of [10, 30, 20, 40]) reach(end, 1_000)
  replicated.advance(25)
  await clock.settle()
  expect(seen).toEqual(['10 OK at 0', '20 OK at 0'])
  replicated.advance(40)
  reach(35, 1_000)
  await clock.settle()
  expect(seen.slice(2)).toEqual(['30 OK at 0', '40 OK at 0', '35 OK at 0'])
})

test('each is given up at its own time, and none that goes keeps another from completing', async () => {
  const { clock, replicated, seen, reach } = waiting()
  reach(10, 500)
  reach(20, 2_000)
  reach(30, 100)
  reach(40, -5)
  await clock.advance(600)
  expect(seen).toEqual([
    '40 FLUSH_SLAVE_TIMEOUT at 0',
    '30 FLUSH_SLAVE_TIMEOUT at 100',
    '10 FLUSH_SLAVE_TIMEOUT at 500',
  ])
  reach(50, 10_000)
  replicated.advance(20)
  await clock.advance(5_000)
  replicated.advance(50)
  await clock.settle()
  expect(seen.slice(3)).toEqual(['20 OK at 600', '50 OK at 5600'])
})

test('however many wait, one timer waits with them', async () => {
  const { clock, replicated, reach } = waiting()
  for (let send = 1; send <= 1_000; send += 1) reach(send, 3_000 + send)
  expect(clock.pending).toBe(1)
  replicated.advance(1_000)
  await clock.advance(10_000)
  expect(clock.pending).toBe(0)
})

test('when nobody replicates any more, all hear why, also those who come later', async () => {
  const { clock, replicated, waits, seen, reach } = waiting()
  reach(10, 1_000)
  const reason = new BrokerError('UNAVAILABLE', 'the master stops')
  replicated.fail(reason)
  await clock.settle()
  expect(seen).toEqual(['10 BrokerError: the master stops'])
  await expect(waits.reached(10, clock.monotonic() + 1_000)).rejects.toBe(reason)
  expect(clock.pending).toBe(0)
})
