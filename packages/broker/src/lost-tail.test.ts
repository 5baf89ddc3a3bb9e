import { describe, expect, test } from 'vitest'
import { ASYNC, BrokerSet, SYNC, SYNC_FLUSHED } from './testing/broker-set.ts'
import { Client, bodiesOf } from './testing/client.ts'

const noNewLog = {
  master: {
    haListen: { host: 'master', port: 10912 },
    haAdvertisedHost: 'master',
    createLog: false,
    acceptLoss: false,
  },
}

const LENDING = 'the master lacks the end of its log: sending it ours'

/** @param seed also decides what a power cut leaves */
async function pair(mode = SYNC, slaves = 1, seed = 1) {
  const set = new BrokerSet(mode, { slaves, seed })
  const names = slaves === 1 ? ['slave'] : Array.from({ length: slaves }, (_, index) => `slave-${index + 1}`)
  for (const name of ['master', ...names]) await set.start(name, { flushIntervalMs: 600_000 })
  await set.untilServing('master')
  const { role } = set.broker('master')
  await set.time.runUntil(
    () => role.kind === 'master' && role.replicas().filter(({ known }) => known).length === slaves,
  )
  return { set, client: new Client(set), names }
}

function isWritable(set: BrokerSet): () => boolean {
  const { role } = set.broker('master')
  return () => role.kind === 'master' && role.writability.isWritable
}

describe('a master that lost the end of its log (rule 3.2)', () => {
  test.each([
    ['SYNC', SYNC],
    ['SYNC_FLUSHED', SYNC_FLUSHED],
    ['ASYNC', ASYNC],
  ])(
    'by a power cut fetches it from its slave: nothing acknowledged is lost, nobody is asked (%s)',
    async (_name, mode) => {
      const { set, client } = await pair(mode)
      const sent = await client.sendAll(20)
      await set.untilCopied('slave')
      const { end } = set.broker('slave').store
      set.cutPower('master')
      await set.untilServing('slave')
      await set.start('master', noNewLog)
      await set.time.runUntil(isWritable(set))
      if (mode.flush === 'async') expect(set.log('slave').messages('warn')).toContain(LENDING)
      expect(set.broker('master').store.end).toBe(end)
      await set.untilServing('master')
      expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
      const more = await client.sendAll(5)
      await set.untilCopied('slave')
      expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
      expect(bodiesOf(await client.receiveAll('master'))).toEqual(more)
    },
  )

  test('and its whole disk gets all of it back, topics and progress too', async () => {
    const { set, client } = await pair(SYNC)
    const sent = await client.sendAll(20)
    const first = await client.receive('master')
    await client.ack('master', first)
    await set.time.advance(300)
    set.replaceDisk('master')
    await set.untilServing('slave')
    await set.start('master', { ...noNewLog, create: { topics: false, groups: false, queues: 4 } })
    await set.time.runUntil(isWritable(set))
    await set.untilServing('master')
    expect(set.logOf('master').equals(set.logOf('slave'))).toBe(true)
    expect(bodiesOf([...first, ...(await client.receiveAll('master'))])).toEqual(sent)
    await client.sendAll(3)
  })

  test('asks the one that holds most, and the other one follows', async () => {
    const { set, client } = await pair(ASYNC, 2)
    await client.sendAll(10)
    await set.untilCopied('slave-1')
    set.net.cut('master', 'slave-1')
    await client.sendAll(10)
    await set.untilCopied('slave-2')
    const { end } = set.broker('slave-2').store
    set.cutPower('master')
    set.net.healAll()
    await set.start('master', noNewLog)
    await set.time.runUntil(isWritable(set))
    expect(set.broker('master').store.end).toBe(end)
    await set.untilCopied('slave-1')
    expect(set.logOf('slave-1').equals(set.logOf('master'))).toBe(true)
  })

  test('is cut off again in the middle, and knows at its next start that it is not done', async () => {
    const { set, client } = await pair(ASYNC)
    await client.sendAll(1_500)
    await set.untilCopied('slave')
    const { end } = set.broker('slave').store
    set.replaceDisk('master')
    set.net.delay('slave', 'master', { min: 30, max: 30 })
    await set.start('master', noNewLog)
    await set.time.runUntil(() => set.broker('master').store.end > 0)
    expect(set.broker('master').store.end).toBeLessThan(end)
    set.kill('master')
    await set.start('master', noNewLog)
    expect(set.broker('master').problems.join()).toContain('the tail of this log may be missing')
    await set.time.runUntil(isWritable(set))
    expect(set.broker('master').store.end).toBe(end)
  })

  test('and went on without it in asynchronous mode still takes it, as long as nothing was appended (rule 1.4)', async () => {
    const { set, client } = await pair(ASYNC)
    await client.sendAll(1_500)
    await set.time.advance(6_000)
    await client.sendAll(20)
    await set.untilCopied('slave')
    const { end } = set.broker('slave').store
    set.cutPower('master')
    set.net.cut('master', 'slave')
    await set.start('master', noNewLog)
    const { store } = set.broker('master')
    expect(store.end).toBeLessThan(end)
    await set.time.runUntil(isWritable(set))
    const before = store.end
    set.net.healAll()
    set.net.delay('slave', 'master', { min: 30, max: 30 })
    await set.time.runUntil(() => store.end > before)
    expect(isWritable(set)()).toBe(false)
    set.kill('master')
    await set.start('master', noNewLog)
    expect(set.broker('master').problems.join()).toContain('the tail of this log may be missing')
    await set.time.runUntil(isWritable(set))
    expect(set.logOf('master').equals(set.logOf('slave'))).toBe(true)
    await set.untilServing('master')
    expect(await client.receiveAll('master')).toHaveLength(1_520)
  })

  test('gives up an epoch that others follow already, and opens one above it: all know the same ancestry', async () => {
    const { set, client } = await pair({ ...SYNC, inSyncReplicas: 3 }, 2, 2)
    await client.sendAll(5)
    await set.time.advance(6_000)
    set.net.cut('master', 'slave-2')
    for (let count = 0; count < 30; count += 1) client.send().catch(() => undefined)
    await set.untilCopied('slave-1')
    const { end } = set.broker('slave-1').store
    set.cutPower('master')
    set.net.healAll()
    set.net.cut('master', 'slave-1')
    await set.start('master', noNewLog)
    const { store } = set.broker('master')
    expect(store.end).toBeLessThan(end)
    await set.time.runUntil(isWritable(set))
    await set.time.runUntil(() => lastEpoch(set, 'slave-2') === lastEpoch(set, 'master'))
    const givenUp = lastEpoch(set, 'master')
    set.net.healAll()
    await set.time.runUntil(() => store.end >= end && isWritable(set)())
    expect(lastEpoch(set, 'master')).toBeGreaterThan(givenUp)
    for (const slave of ['slave-1', 'slave-2']) {
      await set.untilCopied(slave)
      await set.time.runUntil(() => lastEpoch(set, slave) === lastEpoch(set, 'master'))
      expect(set.broker(slave).store.lineage).toEqual(store.lineage)
    }
  })
})

function lastEpoch(set: BrokerSet, name: string): number {
  return set.broker(name).store.lineage?.epochs.at(-1)?.epoch ?? 0
}
