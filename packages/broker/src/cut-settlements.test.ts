import { describe, expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'
import { SLOW_TO_COPY } from './testing/slow-to-copy.ts'

const LOST = { set: 'broker-a', oldMasterIsOff: true, acceptLoss: true }
/** So far ahead is the wall clock of the master that is deposed: what is due there is not due elsewhere. */
const AHEAD_MS = 600_000

async function pair() {
  const set = new BrokerSet(ASYNC)
  await set.start('master')
  await set.start('slave')
  await set.untilServing('master')
  await set.time.runUntil(() => isFollowed(set, 'master'))
  return { set, client: new Client(set) }
}

function isFollowed(set: BrokerSet, name: string): boolean {
  if (!set.isUp(name)) return false
  const { role } = set.broker(name)
  return role.kind === 'master' && role.writability.isWritable && role.replicas().some(({ known }) => known)
}

async function promoteSlave(set: BrokerSet): Promise<void> {
  await set.time.outcome(set.registry.promote(LOST))
  await set.time.runUntil(() => set.isUp('slave') && set.broker('slave').role.kind === 'master')
  await set.untilServing('slave')
}

/** The master, whose clock is ahead, has put a scheduled message that the slave has, and nobody else has seen that; the slave has taken its place. */
async function withLostPut() {
  const { set, client } = await pair()
  await set.time.outcome(client.send({ deliveryTimestamp: set.time.now() + AHEAD_MS }))
  await set.untilCopied('slave')
  await set.time.advance(300)
  set.net.cut('master', 'slave')
  set.machine('master').skew(AHEAD_MS)
  await set.time.runUntil(() => set.broker('master').metadata.delay.floor === 1, 120_000)
  set.machine('master').skew(-AHEAD_MS)
  await set.time.advance(1_000) // Its journal knows it now.
  set.kill('master')
  set.net.healAll()
  await promoteSlave(set)
  expect(set.broker('slave').metadata.delay.floor).toBe(0)
  return { set, client }
}

/** The deposed master is back, follows its successor, and has told it what it knows. */
async function comesBack(set: BrokerSet): Promise<void> {
  await set.start('master')
  await set.time.runUntil(() => set.isUp('master') && isFollowed(set, 'slave'))
  await set.untilCopied('master', 'slave')
  await set.time.advance(5_000)
}

function isCutting(set: BrokerSet): boolean {
  return set.log('master').messages('warn').join().includes('cutting the commit log')
}

async function isDelivered(set: BrokerSet, client: Client): Promise<void> {
  for (const name of ['master', 'slave']) expect(set.broker(name).metadata.delay.floor, name).toBe(0)
  await set.time.advance(AHEAD_MS)
  expect(bodiesOf(await client.receive('slave'))).toEqual(['body 1'])
  expect(isCutting(set)).toBe(true)
}

describe('what an internal write has settled is settled no longer where that write is cut from the log (rules 5.2, 5.5)', () => {
  test('a master that put a scheduled message is deposed and comes back: its successor, which has not put it yet, does so', async () => {
    const { set, client } = await withLostPut()
    await comesBack(set)
    await isDelivered(set, client)
  })

  test('also if its power is cut while it learns that, whenever that is', async () => {
    const stages = new Set<string>()
    for (let ms = 0; ms <= 96; ms += 8) {
      const { set, client } = await withLostPut()
      const { end } = await set.start('master').then(({ store }) => store)
      await set.time.runUntil(() => isCutting(set))
      const { store, metadata } = set.broker('master')
      await set.time.advance(ms)
      const isCut = store.end < end
      const epochs = store.lineage?.epochs.length ?? 0
      stages.add(`${isCut ? 'cut' : 'whole'}, epochs: ${epochs}, done: ${metadata.delay.floor}`)
      set.cutPower('master')
      await comesBack(set)
      await isDelivered(set, client)
    }
    expect([...stages]).toEqual([
      'whole, epochs: 1, done: 1',
      'cut, epochs: 1, done: 1',
      'cut, epochs: 2, done: 0',
    ])
  })

  test('a dead letter whose copy is lost: the message comes again', async () => {
    const { set, client } = await pair()
    await client.sendAll(1)
    await set.untilCopied('slave')
    set.net.cut('master', 'slave')
    const [message] = await client.receive('master')
    if (message === undefined) throw new Error('nothing was received')
    await client.giveUp('master', message)
    await set.time.advance(1_000)
    expect(await client.ack('master', [message])).toEqual(['OK']) // Settled.
    set.kill('master')
    set.net.healAll()
    await promoteSlave(set)
    await comesBack(set)
    await set.time.advance(AHEAD_MS)
    expect(bodiesOf(await client.receive('slave'))).toEqual(['body 1'])
  })

  test('a slave that was told of it by its master, and has not copied the write, puts the message itself once it is the master', async () => {
    const set = new BrokerSet(ASYNC)
    const client = new Client(set)
    await set.start('master', { master: SLOW_TO_COPY })
    await set.untilServing('master')
    await set.time.outcome(client.send({ deliveryTimestamp: set.time.now() + 1_000 }))
    const scheduledEnd = set.broker('master').store.end
    await client.sendAll(40)
    const write = set.broker('master').store.end
    await set.time.runUntil(() => set.broker('master').metadata.delay.floor === 1)
    const { store, metadata } = await set.start('slave')
    await set.time.runUntil(() => store.end >= scheduledEnd && metadata.followed !== undefined)
    set.kill('master')
    expect(store.end).toBeLessThan(write)
    await promoteSlave(set)
    await set.time.advance(5_000)
    expect(bodiesOf(await client.receiveAll('slave'))).toContain('body 1')
  })
})
