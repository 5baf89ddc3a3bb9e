import { describe, expect, test } from 'vitest'
import type { DurabilityMode } from './durability-mode.ts'
import { ASYNC, ASYNC_FLUSHED, BrokerSet, SYNC, SYNC_FLUSHED } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const MODES: readonly (readonly [string, DurabilityMode])[] = [
  ['ASYNC', ASYNC],
  ['ASYNC_FLUSHED', ASYNC_FLUSHED],
  ['SYNC', SYNC],
  ['SYNC_FLUSHED', SYNC_FLUSHED],
]
const AFTER_ALL_LEASES_MS = 40_000

async function pair(mode: DurabilityMode) {
  const set = new BrokerSet(mode)
  await set.startPair()
  return { set, client: new Client(set) }
}

/** One message for each delay, ms. */
async function sendLater(set: BrokerSet, client: Client, ...delays: readonly number[]): Promise<void> {
  for (const ms of delays) {
    await set.time.outcome(client.send({ deliveryTimestamp: set.time.now() + ms }))
  }
  await set.untilCopied('slave')
  await set.time.advance(300)
}

async function ackAll(client: Client, name: string, messages: Parameters<Client['ack']>[1]): Promise<void> {
  expect(await client.ack(name, messages)).toEqual(messages.map(() => 'OK'))
}

describe('rule 5.6: the master is away when scheduled messages are due', () => {
  test.each(MODES)(
    'killed: the slave delivers them and takes their acknowledgements; after the return each is there once, and none comes again (%s)',
    async (_name, mode) => {
      const { set, client } = await pair(mode)
      await sendLater(set, client, 2_000, 2_100, 2_200, 60_000)
      set.kill('master')
      await set.untilServing('slave')
      const { end } = set.broker('slave').store
      await set.time.advance(3_000)
      const due = await client.receive('slave')
      expect(bodiesOf(due)).toEqual(['body 1', 'body 2', 'body 3'])
      await ackAll(client, 'slave', due.slice(0, 2))
      expect(set.broker('slave').store.end).toBe(end)

      await set.start('master')
      await set.untilServing('master')
      await set.time.advance(100)
      expect(await client.receive('master')).toEqual([])
      await ackAll(client, 'master', due.slice(2))
      await set.time.advance(AFTER_ALL_LEASES_MS)
      expect(await client.receive('master')).toEqual([])
      await set.time.advance(60_000)
      expect(bodiesOf(await client.receive('master'))).toEqual(['body 4'])
      await set.untilCopied('slave')
      for (const name of ['master', 'slave']) {
        const { metadata, store, api } = set.broker(name)
        await set.time.outcome(api.settleServed()) // A slave may have heard of it once more from its master.
        expect([metadata.delay.floor, [...metadata.delay.unmoved(0, 100)]], name).toEqual([4, []])
        const queues = [0, 1, 2, 3].map((queueId) => store.queue('orders', queueId)?.maxOffset ?? 0)
        expect(
          queues.reduce((sum, count) => sum + count, 0),
          name,
        ).toBe(4)
      }
    },
  )

  test('the slave that served is killed too and comes back: its journal knows what was done', async () => {
    const { set, client } = await pair(ASYNC)
    await sendLater(set, client, 1_000, 1_100)
    set.kill('master')
    await set.untilServing('slave')
    await set.time.advance(2_000)
    const [first, second] = await client.receive('slave')
    if (!first || !second) throw new Error('not all were received')
    await ackAll(client, 'slave', [first])
    set.kill('slave')
    await set.start('slave')
    await set.untilServing('slave')
    await set.time.advance(1_000)
    expect(await client.receive('slave')).toEqual([])
    await set.time.advance(AFTER_ALL_LEASES_MS)
    const again = await client.receive('slave')
    expect(again.map(({ record, attempt }) => [record.body.toString(), attempt])).toEqual([['body 2', 2]])
    await set.start('master')
    await set.untilServing('master')
    await ackAll(client, 'master', again)
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(await client.receive('master')).toEqual([])
  })

  test('a master that was stopped (SIGSTOP) wakes up, and puts them while the slave still serves', async () => {
    const { set, client } = await pair(ASYNC)
    await sendLater(set, client, 4_000, 4_100)
    set.machine('master').freeze()
    await set.untilServing('slave')
    await set.time.advance(4_000)
    const due = await client.receive('slave')
    expect(bodiesOf(due)).toEqual(['body 1', 'body 2'])
    await ackAll(client, 'slave', due.slice(0, 1))
    set.machine('master').thaw()
    await set.untilServing('master')
    await ackAll(client, 'master', due.slice(1))
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(await client.receive('master')).toEqual([])
  })

  test('and had put them just before, which the slave has not copied: what was done there is found at the return', async () => {
    const { set, client } = await pair(ASYNC)
    await sendLater(set, client, 1_000, 1_100)
    set.net.cut('master', 'slave')
    await set.time.advance(1_500)
    const { end } = set.broker('master').store
    expect(end).toBeGreaterThan(set.broker('slave').store.end)
    set.kill('master')
    set.net.healAll()
    await set.untilServing('slave')
    await set.time.advance(100)
    const due = await client.receive('slave')
    expect(bodiesOf(due)).toEqual(['body 1', 'body 2'])
    await ackAll(client, 'slave', due)
    await set.start('master')
    await set.untilServing('master')
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(await client.receive('master')).toEqual([])
  })

  test('a slave that was promoted puts them itself, and goes on with what was done with them', async () => {
    const { set, client } = await pair(ASYNC)
    await sendLater(set, client, 1_000, 1_100)
    set.kill('master')
    await set.untilServing('slave')
    await set.time.advance(2_000)
    const due = await client.receive('slave')
    await ackAll(client, 'slave', due.slice(0, 1))
    const promotion = { set: 'broker-a', oldMasterIsOff: true, acceptLoss: false }
    await set.time.outcome(set.registry.promote(promotion))
    await set.time.runUntil(() => set.isUp('slave') && set.broker('slave').role.kind === 'master')
    await set.untilServing('slave')
    await set.time.advance(5_000)
    await ackAll(client, 'slave', due.slice(1))
    expect(set.broker('slave').metadata.delay.floor).toBe(2)
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(await client.receive('slave')).toEqual([])
  })
})
