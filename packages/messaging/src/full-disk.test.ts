import { expect, test } from 'vitest'
import { bodies, refusal, Stand } from './stand.test-kit.ts'

/** From now on, or once, the journal finds no room. */
function fillJournal(stand: Stand, fields: { nth?: number; forever?: boolean } = {}): void {
  stand.machine.files.fail({ call: 'write', code: 'ENOSPC', matching: /journal/, ...fields })
}

test('the disk is full when leases are to be renewed: nothing falls over, and they are renewed when there is room again', async () => {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  await stand.sendAll('a', 'b')
  expect(bodies(await stand.receive({ autoRenew: true }))).toEqual(['a', 'b'])
  await stand.clock.advance(39_500)
  fillJournal(stand, { nth: 1 })
  await stand.clock.advance(49_000)
  expect(bodies(await stand.receive())).toEqual([])
})

test('the disk is full when a client leaves: what it held comes back when its lease is over', async () => {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  await stand.sendAll('a')
  await stand.receive({ autoRenew: true })
  fillJournal(stand)
  stand.messaging.clientGone('client-1', 'billing')
  await stand.clock.advance(61_000)
  expect(bodies(await stand.receive())).toEqual(['a'])
})

test('the disk gets full in the middle of a receive: what was leased before is delivered', async () => {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 2 })
  stand.group('billing')
  await stand.sendAll('a', 'b')
  fillJournal(stand, { nth: 2 })
  const first = bodies(await stand.receive({ autoRenew: true }))
  const second = bodies(await stand.receive({ autoRenew: true }))
  expect([...first, ...second].toSorted()).toEqual(['a', 'b'])
  expect(first).toHaveLength(1)
})

test('the disk is full and nothing was leased: the receive is refused', async () => {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  await stand.sendAll('a')
  fillJournal(stand)
  expect(await refusal(stand.receive())).toBe('DISK_FULL')
})

test('the disk is full when a scheduled message is known to be delivered: that is written down later, and it is not put again', async () => {
  const stand = await Stand.open()
  stand.topic('orders', { queues: 1 })
  stand.group('billing')
  stand.messaging.startTimers()
  await stand.clock.settle()
  await stand.send({
    type: 'DELAY',
    deliveryTimestamp: stand.clock.now() + 8_000,
    body: Buffer.from('later'),
  })
  await stand.clock.advance(7_900)
  fillJournal(stand)
  await stand.clock.advance(200)
  expect(stand.metadata.delay.isDone(0)).toBe(false)
  await stand.clock.advance(2_000)
  expect(stand.metadata.delay.isDone(0)).toBe(true)
  expect(bodies(await stand.receive())).toEqual(['later'])
  expect(bodies(await stand.receive())).toEqual([])
})
