import { expect, test } from 'vitest'
import { FakeCluster } from './cluster.test-support.ts'

function twoSets() {
  const cluster = new FakeCluster(['Orders'])
  const a = cluster.add('a', 'broker-a')
  const b = cluster.add('b', 'broker-b')
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a' })
  cluster.says('broker-b', { serving: [20, 'b'], writable: 'b' })
  return { cluster, clock: cluster.clock, a, b }
}

test('while the disk of a master is full, sends go to the other set, and spread again when there is room', async () => {
  const { cluster, clock, a, b } = twoSets()
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a', diskFull: true })
  for (let count = 0; count < 4; count += 1) await clock.outcome(cluster.send('Orders'))
  expect([a.api.sent.length, b.api.sent.length]).toEqual([0, 4])
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a' })
  for (let count = 0; count < 4; count += 1) await clock.outcome(cluster.send('Orders'))
  expect([a.api.sent.length, b.api.sent.length]).toEqual([2, 6])
})

test('where every disk is full, a master is asked all the same, and says why it refuses', async () => {
  const { cluster, clock, a, b } = twoSets()
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a', diskFull: true })
  cluster.says('broker-b', { serving: [20, 'b'], writable: 'b', diskFull: true })
  const { atMs } = await clock.outcome(cluster.send('Orders'))
  expect(a.api.sent.length + b.api.sent.length).toBe(1)
  expect(atMs).toBeLessThan(20)
})

test('a poll waits where new messages can come: not on the set whose disk is full', async () => {
  const { cluster, clock, a, b } = twoSets()
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a', diskFull: true })
  const poll = cluster.receive('Orders', { broker: 'broker-a' })
  await clock.advance(50)
  expect([a.api.polls, b.api.polls]).toEqual([0, 1])
  b.api.endPolls()
  await clock.outcome(poll)
})
