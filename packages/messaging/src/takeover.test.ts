import { describe, expect, test } from 'vitest'
import { Stand, bodies, refusal } from './stand.test-kit.ts'

async function pair(): Promise<{ master: Stand; slave: Stand }> {
  const master = await Stand.open()
  master.topic('orders', { queues: 1 })
  master.topic('%DLQ%billing', { queues: 1 })
  master.group('billing', { retryMaxTimes: 1 })
  return { master, slave: await master.slave() }
}

/** The master is gone; the slave holds the token under a newer epoch. */
function takeOver(slave: Stand): void {
  slave.servingEpoch = 2
}

describe('a slave that takes over serving', () => {
  test('goes on where the master was: nothing acknowledged comes again, leases keep their time, attempts count on', async () => {
    const { master, slave } = await pair()
    await master.sendAll('acked', 'leased', 'new')
    const messages = await master.receive({ batchSize: 2, invisibleMs: 10_000 })
    for (const message of messages.slice(0, 1)) await master.ack(message)
    await slave.replicate()
    slave.synchronize()
    expect(await refusal(slave.receive())).toBe('NOT_SERVING')
    takeOver(slave)
    expect(bodies(await slave.receive())).toEqual(['new'])
    await slave.clock.advance(10_000)
    const again = await slave.receive()
    expect(again.map(({ attempt, record }) => [record.body.toString(), attempt])).toContainEqual([
      'leased',
      2,
    ])
    expect(bodies(again)).not.toContain('acked')
  })

  test("takes acknowledgements of the master's deliveries, whether it knows of them or not", async () => {
    const { master, slave } = await pair()
    await master.sendAll('known', 'unknown')
    const [known] = await master.receive({ batchSize: 1 })
    await slave.replicate()
    slave.synchronize()
    const [unknown] = await master.receive({ batchSize: 1 })
    if (!known || !unknown) throw new Error('nothing was received')
    takeOver(slave)
    expect(await slave.ack(known)).toBe('OK')
    expect(await slave.ack(unknown)).toBe('OK')
    await slave.clock.advance(60_000)
    expect(await slave.receive()).toEqual([])
    const end = master.store.end
    expect(slave.store.end).toBe(end)
    master.metadata.merge(slave.metadata.snapshot())
    expect(await master.receive()).toEqual([])
  })

  test('does not write: a dead message stays until the master is back, and is moved then', async () => {
    const { master, slave } = await pair()
    await master.sendAll('dead', 'alive')
    await slave.replicate()
    slave.synchronize()
    takeOver(slave)
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const [message] = await slave.receive({ batchSize: 1 })
      if (!message) throw new Error('nothing was received')
      expect(message.attempt).toBe(attempt)
      await slave.nack(message, 0)
    }
    expect(bodies(await slave.receive())).toEqual(['alive'])
    expect(slave.store.end).toBe(master.store.end)
    slave.messaging.seal()
    master.metadata.merge(slave.metadata.snapshot())
    master.servingEpoch = 3
    expect(await master.receive()).toEqual([])
    await master.clock.settle()
    expect(master.store.queue('%DLQ%billing', 0)?.maxOffset).toBe(1)
    await slave.replicate()
    expect(slave.metadata.progress.queue('billing', 'orders', 0).isAcked(0)).toBe(true)
  })

  test('rule 5.6: knows from its own log which scheduled messages were delivered', async () => {
    const { master, slave } = await pair()
    master.messaging.startTimers()
    await master.send({ type: 'DELAY', deliveryTimestamp: master.clock.now() + 1000 })
    await master.send({ type: 'DELAY', deliveryTimestamp: master.clock.now() + 9000 })
    await master.clock.advance(2000)
    await slave.replicate()
    expect(slave.metadata.delay.floor).toBe(1)
    slave.synchronize()
    takeOver(slave)
    expect(await slave.receive()).toHaveLength(1)
    await slave.clock.advance(20_000)
    expect(await slave.receive()).toHaveLength(1) // The first again: its lease has ended. Nothing offers the second yet.
  })

  test('shows nothing past what it may see', async () => {
    const { master, slave } = await pair()
    await master.sendAll('a', 'b')
    slave.visible.isHeld = true
    await slave.replicate()
    slave.synchronize()
    takeOver(slave)
    const poll = slave.poll()
    await slave.clock.advance(100)
    const unit = slave.store.queue('orders', 0)?.unit(0)
    if (!unit) throw new Error('nothing was dispatched')
    slave.visible.moveTo(unit.offset + unit.size)
    expect(bodies((await slave.clock.outcome(poll)).messages)).toEqual(['a'])
  })
})
