import type { Snapshot } from '@tandemmq/metadata'
import { describe, expect, test } from 'vitest'
import type { DeliveredMessage, ReceiveRequest } from './api.ts'
import { Stand, bodies, refusal } from './stand.test-kit.ts'
import { TIMER_TOPIC } from './timer-record.ts'

/** Of the log files of a {@link Stand}. */
const SEGMENT = 1 << 20

interface Pair {
  readonly master: Stand
  readonly slave: Stand
}

/** Delayed messages that the slave holds; their master is gone before they are due, and the slave serves. */
async function served(
  delays: readonly number[],
  { orderly = false, filler = 0 }: { readonly orderly?: boolean; readonly filler?: number } = {},
): Promise<Pair> {
  const master = await Stand.open()
  master.topic('orders', { queues: 1 })
  master.topic('others')
  master.topic('%DLQ%billing', { queues: 1 })
  for (const name of ['billing', 'audit']) master.group(name, { retryMaxTimes: 1, orderly })
  const slave = await master.slave()
  for (const ms of delays) await later(master, ms)
  for (let count = 0; count < filler; count += 1) {
    await master.send({ topic: 'others', body: Buffer.alloc(SEGMENT / 4) })
  }
  await slave.replicate()
  slave.synchronize()
  takeOver(slave)
  await slave.clock.settle()
  return { master, slave }
}

function later(stand: Stand, ms: number, fields: { readonly tag?: string; readonly topic?: string } = {}) {
  const deliveryTimestamp = stand.clock.now() + ms
  return stand.send({ type: 'DELAY', deliveryTimestamp, body: Buffer.from(`in ${ms}`), ...fields })
}

function takeOver(slave: Stand): void {
  slave.servingEpoch = 2
  slave.messaging.offerTimers()
}

/** As rule 4.7 says. */
async function handBack({ master, slave }: Pair): Promise<void> {
  slave.messaging.seal()
  master.metadata.merge(slave.metadata.snapshot())
  await master.clock.outcome(master.messaging.settleServed())
  slave.servingEpoch = 0
  slave.messaging.stopTimers()
  master.servingEpoch = 3
}

/** The master has its timers again, and puts what is due. */
async function putDue(master: Stand): Promise<void> {
  master.messaging.startTimers()
  await master.clock.advance(1)
}

/** The master's process is killed and begins anew; with what was put last not to be seen yet. */
async function anew(master: Stand, isHeld = false): Promise<void> {
  await master.clock.outcome(Promise.all([master.store.flush(), master.metadata.synced()]))
  const { at } = master.visible
  master.kill()
  await master.boot(isHeld ? at : undefined)
  master.messaging.startTimers()
  await master.clock.advance(100)
}

/** Without the writes that settled it. */
function ofOlderVersion({ delay = [] }: Snapshot): Snapshot {
  const states = delay.filter((change) => change.kind === 'progress')
  return {
    delay: states.map(({ kind, group, topic, queueId, generation, voidFrom, acked, marks, leases }) => ({
      kind,
      group,
      topic,
      queueId,
      generation,
      voidFrom,
      acked,
      marks,
      leases,
    })),
  }
}

async function one(stand: Stand, fields: Partial<ReceiveRequest> = {}): Promise<DeliveredMessage> {
  const [message] = await stand.receive(fields)
  if (!message) throw new Error('nothing was received')
  return message
}

describe('rule 5.6: a scheduled message that is due while its master is away', () => {
  test('is received from the slave by every group, at its time and not before, and acknowledged there; nothing is written', async () => {
    const { master, slave } = await served([1000])
    const poll = slave.poll()
    await slave.clock.advance(900)
    expect(bodies(await slave.receive({ group: 'audit' }))).toEqual([])
    const [message] = (await slave.clock.outcome(poll)).messages
    if (!message) throw new Error('nothing was received')
    expect(`${slave.clock.now()}`).toBe(message.properties.get('TIMER_DELIVER_MS'))
    expect([message.topic, message.attempt]).toEqual(['orders', 1])
    expect(message.place).toEqual({ queueId: 0, queueOffset: -1 })
    expect(bodies(await slave.receive({ group: 'audit' }))).toEqual(['in 1000'])
    expect(await slave.ack(message)).toBe('OK')
    expect(await slave.ack(message)).toBe('OK')
    await slave.clock.advance(60_000)
    expect(await slave.receive()).toEqual([])
    expect(slave.store.end).toBe(master.store.end)
  })

  test('comes again from the slave when it is not acknowledged in time, or given up; dead ones wait for the master', async () => {
    const { slave } = await served([1000])
    await slave.clock.advance(1000)
    expect((await one(slave, { invisibleMs: 3000 })).attempt).toBe(1)
    const poll = slave.poll({}, {})
    await slave.clock.advance(3000)
    const [again] = (await slave.clock.outcome(poll)).messages
    if (!again) throw new Error('nothing came again')
    expect(again.attempt).toBe(2)
    expect(await refusal(slave.messaging.forwardToDeadLetter(again.receiptHandle, slave.context()))).toBe(
      'UNAVAILABLE',
    )
    await slave.nack(again, 0)
    expect(await slave.receive()).toEqual([])
  })

  test('is put once when the master is back, and what each group did counts there: acknowledgement, attempts, a running lease', async () => {
    const pair = await served([1000, 1001, 1002])
    const { master, slave } = pair
    await slave.clock.advance(1500)
    const [acked, leased, tried] = await slave.receive({ invisibleMs: 60_000 })
    if (!acked || !leased || !tried) throw new Error('not all were received')
    expect(await slave.ack(acked)).toBe('OK')
    await slave.nack(tried, 0)
    await handBack(pair)
    await putDue(master)
    expect(master.store.queue('orders', 0)?.maxOffset).toBe(3)
    const got = await master.receive()
    expect(got.map(({ record, attempt }) => [record.body.toString(), attempt])).toEqual([['in 1002', 2]])
    expect(bodies(await master.receive({ group: 'audit' }))).toEqual(['in 1000', 'in 1001', 'in 1002'])
    // The handle of the scheduled record, whose message is in its topic now.
    expect(await master.ack(leased)).toBe('OK')
    expect(await master.ack(leased)).toBe('OK')
    await master.clock.advance(120_000)
    expect(bodies(await master.receive())).toEqual([]) // Its last attempt: it is dead.
    expect(master.store.queue('%DLQ%billing', 0)?.maxOffset).toBe(1)
    expect(master.metadata.delay.floor).toBe(3)
  })

  test('whose lease runs comes again at its end, from the master too, and its old handle is void then', async () => {
    const pair = await served([1000])
    const { master, slave } = pair
    await slave.clock.advance(1000)
    const message = await one(slave, { invisibleMs: 10_000 })
    await handBack(pair)
    await putDue(master)
    await master.clock.advance(9000)
    expect(await master.receive()).toEqual([])
    await master.clock.advance(2000)
    expect((await one(master)).attempt).toBe(2)
    expect(await master.ack(message)).toBe('RECEIPT_HANDLE_INVALID')
  })

  test('and acknowledged with its handle before the master has put it', async () => {
    const pair = await served([1000])
    const { master, slave } = pair
    await slave.clock.advance(1000)
    const message = await one(slave)
    await handBack(pair)
    expect(await master.ack(message)).toBe('OK')
    await putDue(master)
    await master.clock.advance(60_000)
    expect(await master.receive()).toEqual([])
  })

  test('every other slave moves what it knows as it dispatches what was put', async () => {
    const pair = await served([1000, 1001])
    const { master, slave } = pair
    await slave.clock.advance(1500)
    const [acked, leased] = await slave.receive({ invisibleMs: 60_000 })
    if (!acked || !leased) throw new Error('not all were received')
    await slave.ack(acked)
    await handBack(pair)
    await putDue(master)
    await slave.replicate() // Its metadata does not hear of it.
    const progress = slave.metadata.progress.queue('billing', 'orders', 0)
    expect(progress.isAcked(0)).toBe(true)
    expect(progress.lease(1)).toMatchObject({ attempt: 1, attempts: 1 })
    expect([...slave.metadata.delay.unmoved(0, 10)]).toEqual([])
    takeOver(slave)
    slave.messaging.unseal()
    expect(await slave.ack(leased)).toBe('OK')
    await slave.clock.advance(120_000)
    expect(await slave.receive()).toEqual([])
  })
})

describe('rule 5.6: a scheduled message that its master had put already', () => {
  test('and that the slave has: only the one in its topic is handed out', async () => {
    const master = await Stand.open()
    master.topic('orders', { queues: 1 })
    master.group('billing')
    const slave = await master.slave()
    master.messaging.startTimers()
    await later(master, 1000)
    await master.clock.advance(1500)
    await slave.replicate()
    slave.synchronize()
    takeOver(slave)
    await slave.clock.advance(1)
    const messages = await slave.receive()
    expect(messages.map(({ record }) => record.queueOffset)).toEqual([0])
    expect(messages).toHaveLength(1)
  })

  test.each([
    ['remembers them', false],
    ['has to look for them', true],
  ])(
    'and that the slave had not: what was done there counts when it hands back (the master %s)',
    async (_how, isNew) => {
      const pair = await served([1000, 1001, 1002])
      const { master, slave } = pair
      await putDue(master) // It is cut off: nobody receives from it.
      await master.clock.advance(1500)
      if (isNew) await anew(master)
      expect(master.store.queue('orders', 0)?.maxOffset).toBe(3)
      const [acked, leased] = await slave.receive({ invisibleMs: 60_000 })
      if (!acked || !leased) throw new Error('not all were received')
      await slave.ack(acked)
      await handBack(pair)
      expect(bodies(await master.receive())).toEqual([])
      expect(await master.ack(leased)).toBe('OK')
      await master.clock.advance(120_000)
      expect(bodies(await master.receive())).toEqual(['in 1002'])
    },
  )

  test('and of which it hears what was done while later ones cannot be seen yet', async () => {
    const pair = await served([1000])
    const { master, slave } = pair
    await putDue(master)
    await master.clock.advance(1500)
    await slave.ack(await one(slave))
    master.visible.isHeld = true
    await later(master, 10)
    await master.clock.advance(1000)
    await anew(master, true)
    expect(master.store.queue('orders', 0)?.maxOffset).toBe(2)
    await handBack(pair)
    expect(await master.receive()).toEqual([])
  })

  test.each(['slave', 'master'] as const)(
    'and whose scheduled record has expired meanwhile (at the %s): what was done there counts all the same',
    async (where) => {
      const pair = await served([1000], { filler: 5 })
      const { master, slave } = pair
      await slave.clock.advance(1500)
      await slave.ack(await one(slave))
      await putDue(master) // It is cut off.
      const { store, clock } = pair[where]
      await clock.advance(10_000) // Until it is synced.
      await clock.outcome(store.expire(SEGMENT))
      expect(store.queue(TIMER_TOPIC, 0)?.minOffset).toBe(1)
      // The slave hears all that its master knows. From one of an older version it believes that it was put before it has what was put.
      slave.metadata.merge(master.metadata.snapshot())
      expect(slave.metadata.delay.isDone(0)).toBe(false)
      slave.metadata.merge(ofOlderVersion(master.metadata.snapshot()))
      expect(slave.metadata.delay.isDone(0)).toBe(true)
      await slave.clock.outcome(slave.messaging.settleServed())
      await handBack(pair)
      expect(await master.receive()).toEqual([])
      expect([...master.metadata.delay.unmoved(0, 10)]).toEqual([])
    },
  )

  test('and cannot be found: it is given up, and no hand-back waits for it again', async () => {
    const pair = await served([1000])
    const { master, slave } = pair
    await slave.clock.advance(1500)
    await slave.ack(await one(slave))
    const { messaging, metadata } = master
    metadata.commit({ kind: 'topic-delete', name: 'orders' })
    await putDue(master) // It is dropped.
    expect(metadata.delay.floor).toBe(1)
    await handBack(pair)
    expect([...metadata.delay.unmoved(0, 10)]).toEqual([])
    messaging.stopTimers()
  })

  test('and that the slave gets while it serves: it goes on with the one in its topic', async () => {
    const { master, slave } = await served([1000, 1001, 1002])
    await slave.clock.advance(1500)
    const [acked, leased] = await slave.receive({ batchSize: 2, invisibleMs: 60_000, autoRenew: true })
    if (!acked || !leased) throw new Error('not all were received')
    await slave.ack(acked)
    await putDue(master)
    await slave.replicate()
    expect(bodies(await slave.receive())).toEqual(['in 1002'])
    await slave.clock.advance(100_000) // Its client lives, so the lease is kept alive where it is now.
    expect(bodies(await slave.receive())).toEqual(['in 1002'])
    expect(await slave.ack(leased)).toBe('OK')
  })
})
