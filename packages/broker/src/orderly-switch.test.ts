import type { DeliveredMessage } from '@tandemmq/messaging'
import { groupConfig } from '@tandemmq/metadata'
import { describe, expect, test } from 'vitest'
import { ASYNC, BrokerSet, SYNC } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const INVISIBLE_MS = 30_000
/** One queue: a batch is all that there is. */
const ONE_QUEUE = { create: { topics: true, groups: true, queues: 1 } }

/** A master and its slaves, with messages for a group that wants them in order. */
async function orderly(mode = SYNC, slaves: readonly string[] = ['slave']) {
  const set = new BrokerSet(mode, { slaves: slaves.length })
  const master = await set.start('master', ONE_QUEUE)
  for (const name of slaves) await set.start(name, ONE_QUEUE)
  await set.untilServing('master')
  await set.time.runUntil(
    () =>
      master.role.kind === 'master' &&
      master.role.replicas().filter(({ known }) => known).length === slaves.length,
  )
  await set.time.runUntil(() => master.watchers.arePresent)
  master.metadata.commit({ kind: 'group-put', group: groupConfig({ name: 'billing', orderly: true }) })
  const client = new Client(set)
  const sent = await client.sendAll(3)
  for (const name of slaves) await set.untilCopied(name)
  await set.time.advance(20)
  return { set, client, sent }
}

async function took(set: BrokerSet, work: Promise<unknown>): Promise<number> {
  const began = set.time.monotonic()
  await work
  return set.time.monotonic() - began
}

describe('rule 5.8: an orderly delivery and a switch', () => {
  test.each([
    ['ASYNC_MASTER', ASYNC],
    ['SYNC_MASTER', SYNC],
  ])('the slave that watched keeps the queue closed until the lease ends (%s)', async (_name, mode) => {
    const { set, client, sent } = await orderly(mode)
    expect(bodiesOf(await client.receive('master'))).toEqual(sent)
    set.kill('master')
    const deliveredAt = set.time.monotonic()
    await set.untilServing('slave')
    expect(await client.receive('slave')).toEqual([])
    expect(bodiesOf(await client.receive('slave', { pollMs: 60_000 }))).toEqual(sent)
    const waited = set.time.monotonic() - deliveredAt
    expect(waited).toBeGreaterThanOrEqual(INVISIBLE_MS)
    expect(waited).toBeLessThan(INVISIBLE_MS + 300)
  })

  test('the holder acknowledges at the slave, and it goes on', async () => {
    const { set, client } = await orderly()
    const messages = await client.receive('master')
    const more = await client.sendAll(3)
    await set.untilCopied('slave')
    await set.time.advance(20)
    set.kill('master')
    await set.untilServing('slave')
    expect(await client.receive('slave')).toEqual([])
    expect(await client.ack('slave', messages)).toEqual(['OK', 'OK', 'OK'])
    expect(bodiesOf(await client.receive('slave'))).toEqual(more)
  })

  test('a slave that is stopped costs one delivery 200 ms, is left out, and counts again when it goes on', async () => {
    const { set, client } = await orderly(ASYNC)
    const master = set.broker('master')
    set.machine('slave').freeze()
    let delivered: readonly DeliveredMessage[] = []
    const receive = client.receive('master').then((messages) => {
      delivered = messages
    })
    expect(await took(set, receive)).toBe(200)
    expect(delivered.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
    expect(master.watchers.arePresent).toBe(false)
    await client.sendAll(3)
    expect(await took(set, client.ack('master', delivered))).toBe(0)
    expect(await took(set, client.receive('master'))).toBe(0)
    set.machine('slave').thaw()
    await set.time.runUntil(() => master.watchers.arePresent, 10_000)
  })

  test('with two slaves both know of it, whichever is given the token', async () => {
    const { set, client, sent } = await orderly(SYNC, ['slave', 'slave-2'])
    expect(bodiesOf(await client.receive('master'))).toEqual(sent)
    set.kill('master')
    set.kill('slave')
    await set.untilServing('slave-2')
    expect(await client.receive('slave-2')).toEqual([])
  })

  test('a slave that serves waits for nobody, and what it handed back keeps the queue of the master closed', async () => {
    const { set, client, sent } = await orderly(ASYNC)
    set.kill('master')
    await set.untilServing('slave')
    const slave = set.broker('slave')
    expect(slave.watchers.arePresent).toBe(false)
    let delivered: string[] = []
    expect(
      await took(
        set,
        client.receive('slave').then((messages) => {
          delivered = bodiesOf(messages)
        }),
      ),
    ).toBe(0)
    expect(delivered).toEqual(sent)
    await set.start('master', ONE_QUEUE)
    await set.untilServing('master')
    expect(await client.receive('master')).toEqual([])
    expect(bodiesOf(await client.receive('master', { pollMs: 60_000 }))).toEqual(sent)
  })

  test('a group without order pays nothing', async () => {
    const { set, client } = await orderly(ASYNC)
    set.machine('slave').freeze()
    set.broker('master').metadata.commit({ kind: 'group-put', group: groupConfig({ name: 'billing' }) })
    expect(await took(set, client.receive('master'))).toBe(0)
    expect(set.broker('master').watchers.arePresent).toBe(true)
  })
})
