import { describe, expect, test } from 'vitest'
import { ASYNC, ASYNC_FLUSHED, BrokerSet, SYNC, SYNC_FLUSHED } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

async function pair(mode = ASYNC) {
  const set = new BrokerSet(mode)
  await set.startPair()
  return { set, client: new Client(set) }
}

function isDone(promise: Promise<unknown>): () => boolean {
  let done = false
  const mark = (): void => {
    done = true
  }
  promise.then(mark, mark)
  return () => done
}

describe('a master and its slave', () => {
  test.each([
    ['ASYNC_MASTER, ASYNC_FLUSH', ASYNC],
    ['ASYNC_MASTER, SYNC_FLUSH', ASYNC_FLUSHED],
    ['SYNC_MASTER, ASYNC_FLUSH', SYNC],
    ['SYNC_MASTER, SYNC_FLUSH', SYNC_FLUSHED],
  ])('what is sent is received, acknowledged and copied (%s)', async (_name, mode) => {
    const { set, client } = await pair(mode)
    const sent = await client.sendAll(20)
    const messages = await client.receiveAll('master')
    expect(bodiesOf(messages)).toEqual(sent)
    expect(await client.ack('master', messages)).toEqual(sent.map(() => 'OK'))
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    await set.time.advance(50)
    const key = { group: 'billing', topic: 'orders' }
    const floors = (name: string) =>
      [0, 1, 2, 3].map(
        (queueId) => set.broker(name).metadata.progress.queue(key.group, key.topic, queueId).floor,
      )
    expect(floors('slave')).toEqual(floors('master'))
    expect(floors('slave').reduce((sum, floor) => sum + floor, 0)).toBe(20)
  })
})

describe('what OK promises', () => {
  test('ASYNC_MASTER, ASYNC_FLUSH: appended is enough, whatever disk and slave do', async () => {
    const { set, client } = await pair(ASYNC)
    set.net.cut('master', 'slave')
    set.machine('master').files.fail({ call: 'dataSync', code: 'EIO', nth: 1000 })
    const before = set.time.monotonic()
    expect(await set.time.outcome(client.send())).toMatchObject({ status: 'OK' })
    expect(set.time.monotonic()).toBe(before)
    expect(await client.receive('master')).toHaveLength(1)
  })

  test('ASYNC_MASTER, SYNC_FLUSH: OK, and visible, only once it is on the disk', async () => {
    const { set, client } = await pair(ASYNC_FLUSHED)
    const { store, visible } = set.broker('master')
    const before = store.end
    const answer = client.send()
    const done = isDone(answer)
    await set.time.settle()
    expect([done(), store.end > before, visible.at]).toEqual([false, true, before])
    const { offset } = await set.time.outcome(answer)
    expect(store.flushed.at).toBeGreaterThan(offset)
    expect(visible.at).toBe(store.flushed.at)
    set.cutPower('master')
    await set.start('master')
    expect(set.broker('master').store.end).toBeGreaterThan(offset)
  })

  test.each([
    ['ASYNC_FLUSH', SYNC],
    ['SYNC_FLUSH', SYNC_FLUSHED],
  ])('SYNC_MASTER, %s: without a slave a send is refused before the append', async (_name, mode) => {
    const set = new BrokerSet(mode)
    await set.start('master')
    await set.time.advance(3_000)
    const { end } = set.broker('master').store
    const answer = new Client(set).send()
    await expect(set.time.outcome(answer)).rejects.toMatchObject({ code: 'IN_SYNC_REPLICAS_NOT_ENOUGH' })
    expect(set.broker('master').store.end).toBe(end)
  })

  test('SYNC_MASTER, ASYNC_FLUSH: OK, and visible, only once the slave has it', async () => {
    const { set, client } = await pair(SYNC)
    const { store, visible } = set.broker('master')
    const before = visible.at
    const answer = client.send()
    await set.time.settle()
    expect([isDone(answer)(), store.end > before, visible.at]).toEqual([false, true, before])
    await expect(set.time.outcome(answer)).resolves.toMatchObject({ status: 'OK' })
    expect(set.broker('slave').store.end).toBe(store.end)
    expect(visible.at).toBe(store.end)
  })

  test('SYNC_MASTER, SYNC_FLUSH: OK only once it is on both disks', async () => {
    const { set, client } = await pair(SYNC_FLUSHED)
    await client.sendAll(10)
    const { end } = set.broker('master').store
    expect(set.broker('slave').store.flushed.at).toBe(end)
    expect(set.broker('master').store.flushed.at).toBe(end)
    set.cutPower('master')
    set.cutPower('slave')
    const [master, slave] = [await set.start('master'), await set.start('slave')]
    expect([master.store.end, slave.store.end]).toEqual([end, end])
  })

  test.each([
    ['ASYNC_FLUSH', SYNC],
    ['SYNC_FLUSH', SYNC_FLUSHED],
  ])('SYNC_MASTER, %s: the slave is lost while a send waits for it: stored, but', async (_name, mode) => {
    const { set, client } = await pair(mode)
    await client.sendAll(3)
    const seen = set.broker('master').visible.at
    set.net.cut('master', 'slave')
    const began = set.time.monotonic()
    await expect(set.time.outcome(client.send())).resolves.toMatchObject({ status: 'FLUSH_SLAVE_TIMEOUT' })
    expect(set.time.monotonic() - began).toBe(3_000)
    expect(set.broker('master').store.end).toBeGreaterThan(seen)
    expect(set.broker('master').visible.at).toBe(seen)
    expect(await client.receive('master')).toHaveLength(3)
    // Later ones are refused at once; and with the slave's return what waited becomes visible.
    await expect(set.time.outcome(client.send())).rejects.toMatchObject({
      code: 'IN_SYNC_REPLICAS_NOT_ENOUGH',
    })
    set.net.healAll()
    await set.time.runUntil(() => set.broker('master').visible.at === set.broker('master').store.end)
    expect(await client.receive('master')).toHaveLength(1)
  })

  test('a caller with a short deadline is answered 300 ms before it gives up', async () => {
    const { set, client } = await pair(SYNC)
    set.net.cut('master', 'slave')
    const began = set.time.monotonic()
    const answer = await set.time.outcome(client.send({ timeoutMs: 1_000 }))
    expect([answer.status, set.time.monotonic() - began]).toEqual(['FLUSH_SLAVE_TIMEOUT', 700])
  })
})

describe('the master dies', () => {
  test.each([
    ['ASYNC', ASYNC],
    ['SYNC', SYNC],
    ['SYNC_FLUSHED', SYNC_FLUSHED],
  ])(
    'killed: the slave serves within 300 ms, acknowledgements included; the master takes over again (%s)',
    async (_name, mode) => {
      const { set, client } = await pair(mode)
      const sent = await client.sendAll(30)
      await set.untilCopied('slave')
      const [first, second] = [await client.receive('master'), await client.receive('master')]
      expect(await client.ack('master', first)).toEqual(first.map(() => 'OK'))
      await set.time.advance(200)

      set.kill('master')
      expect(await set.untilServing('slave')).toBeLessThanOrEqual(300)
      // What the master had delivered and not seen acknowledged is settled at the slave, under the master's handle.
      expect(await client.ack('slave', second)).toEqual(second.map(() => 'OK'))
      const rest = await client.receiveAll('slave')
      expect(bodiesOf([...first, ...second, ...rest])).toEqual(sent)
      const [half, other] = [rest.slice(0, rest.length / 2), rest.slice(rest.length / 2)]
      expect(await client.ack('slave', half)).toEqual(half.map(() => 'OK'))

      await set.start('master')
      await set.untilServing('master')
      expect(set.broker('slave').servingEpoch).toBeUndefined()
      expect(await client.receiveAll('master')).toEqual([])
      expect(await client.ack('master', other)).toEqual(other.map(() => 'OK'))
      await set.time.advance(60_000)
      expect(await client.receiveAll('master')).toEqual([])
      const more = await client.sendAll(5)
      expect(bodiesOf(await client.receiveAll('master'))).toEqual(more)
      await set.untilCopied('slave')
      expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    },
  )

  test('stopped (SIGSTOP): the slave serves when the lease is over, and the master serves nobody when it wakes up', async () => {
    const { set, client } = await pair(ASYNC)
    await client.sendAll(10)
    await set.untilCopied('slave')
    const epoch = set.broker('master').servingEpoch ?? 0
    set.machine('master').freeze()
    expect(await set.untilServing('slave')).toBeLessThanOrEqual(2_100)
    expect(set.broker('master').servingEpoch).toBeUndefined()
    expect(await client.receiveAll('slave')).toHaveLength(10)
    set.machine('master').thaw()
    await expect(client.receive('master', { stamp: epoch })).rejects.toMatchObject({ code: 'NOT_SERVING' })
    await set.untilServing('master')
    expect(await client.receiveAll('master')).toEqual([])
  })
})

test.each([
  ['its lease was over', 'lease'],
  ['it was killed', 'kill'],
])(
  'what a slave took until %s, without a hand-back, it tells its master when it can (rule 4.7)',
  async (_words, end) => {
    const { set, client } = await pair(ASYNC)
    const sent = await client.sendAll(10)
    await set.untilCopied('slave')
    set.machine('master').freeze()
    await set.untilServing('slave')
    const messages = await client.receiveAll('slave')
    expect(bodiesOf(messages)).toEqual(sent)
    expect(await client.ack('slave', messages)).toEqual(sent.map(() => 'OK'))

    // The master gets the token without a word from the slave.
    if (end === 'kill') set.kill('slave')
    else set.wire('slave').silence()
    set.machine('master').thaw()
    await set.untilServing('master')
    if (end === 'kill') await set.start('slave')
    else set.wire('slave').heal()
    expect(set.broker('slave').servingEpoch).toBeUndefined()
    await set.time.advance(10_000)
    expect(set.broker('master').servingEpoch).toBeDefined()
    expect(await client.receiveAll('master')).toEqual([])
  },
)

test('two slaves: the further one serves, and both end with the same bytes', async () => {
  const set = new BrokerSet(ASYNC, { slaves: 2 })
  for (const name of ['master', 'slave-1', 'slave-2']) await set.start(name)
  await set.untilServing('master')
  const client = new Client(set)
  await client.sendAll(10)
  await set.untilCopied('slave-1')
  await set.untilCopied('slave-2')
  set.net.cut('master', 'slave-1')
  await client.sendAll(10)
  await set.untilCopied('slave-2')
  await set.time.advance(1_000)
  set.kill('master')
  await set.untilServing('slave-2')
  expect(await client.receiveAll('slave-2')).toHaveLength(20)
  set.net.healAll()
  await set.start('master')
  await set.untilServing('master')
  await set.untilCopied('slave-1')
  await set.untilCopied('slave-2')
  expect(set.logOf('slave-1').equals(set.logOf('master'))).toBe(true)
  expect(set.logOf('slave-2').equals(set.logOf('master'))).toBe(true)
})

test.each(['kill', 'cutPower', 'stop'] as const)(
  'a slave that went away (%s) goes on where it was',
  async (how) => {
    const { set, client } = await pair(ASYNC)
    await client.sendAll(10)
    await set.untilCopied('slave')
    await set.time.advance(2_000)
    const { end } = set.broker('slave').store
    await set[how]('slave')
    await client.sendAll(10)
    const slave = await set.start('slave')
    expect(slave.store.end).toBe(end)
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    expect(set.log('slave').messages('error')).toEqual([])
  },
)

describe('a delayed message', () => {
  test('comes when it is due, once', async () => {
    const { set, client } = await pair(ASYNC)
    await set.time.outcome(client.send({ deliveryTimestamp: set.time.now() + 5_000 }))
    await set.time.advance(4_900)
    expect(await client.receive('master')).toEqual([])
    await set.time.advance(200)
    const messages = await client.receive('master')
    expect(bodiesOf(messages)).toEqual(['body 1'])
    await client.ack('master', messages)
    await set.time.advance(60_000)
    expect(await client.receive('master')).toEqual([])
  })

  test('that was delivered and acknowledged does not come again from the slave, nor after the return', async () => {
    const { set, client } = await pair(ASYNC)
    await set.time.outcome(client.send({ deliveryTimestamp: set.time.now() + 2_000 }))
    await set.time.advance(2_500)
    expect(await client.ack('master', await client.receive('master'))).toEqual(['OK'])
    await set.time.advance(500)
    set.kill('master')
    await set.untilServing('slave')
    expect(await client.receive('slave')).toEqual([])
    await set.start('master')
    await set.untilServing('master')
    await set.time.advance(40_000)
    expect(await client.receive('master')).toEqual([])
  })
})
