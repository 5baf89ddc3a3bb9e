import { describe, expect, test } from 'vitest'
import type { DurabilityMode } from './durability-mode.ts'
import { ASYNC, ASYNC_FLUSHED, BrokerSet, SYNC } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const FLUSHED_MS = 1_000
const SLAVE_GOES_ON_MS = 4_000
const AFTER_ALL_LEASES_MS = 40_000

async function pair(mode: DurabilityMode, seed = 1): Promise<BrokerSet> {
  const set = new BrokerSet(mode, { seed })
  await set.startPair()
  return set
}

/** The master is away, and the slave serves what all have copied. */
async function served(mode: DurabilityMode, seed = 1, others: readonly string[] = []) {
  const set = await pair(mode, seed)
  for (const name of others) await set.start(name)
  const client = new Client(set)
  await client.sendAll(6)
  for (const name of ['slave', ...others]) await set.untilCopied(name)
  await set.time.advance(FLUSHED_MS)
  set.kill('master')
  await set.untilServing('slave')
  return { set, client }
}

/** The master was away, is back, and it and the slave, which serves, do not reach each other. */
async function apart(mode: DurabilityMode, seed = 1, others: readonly string[] = []) {
  const { set, client } = await served(mode, seed, others)
  set.net.cut('master', 'slave')
  await set.start('master')
  return { set, client }
}

/** How the slave has told that the master does not take serving back: `debug` is nobody told. */
function toldBy(set: BrokerSet, name: string) {
  return set
    .log(name)
    .lines.filter(({ message }) => message === 'the master did not take serving back: this slave goes on')
    .map(({ level, facts }) => ({ level, why: String(facts['why']) }))
}

describe('rule 4.7: master and slave reach metadata-rpc but not each other', () => {
  test.each([
    ['ASYNC', ASYNC],
    ['ASYNC_FLUSHED', ASYNC_FLUSHED],
    ['SYNC, for itself alone', { ...SYNC, leastInSyncReplicas: 1 }],
  ])(
    '%s: the token goes to the master, and what was acknowledged on the slave does not come again',
    async (_name, mode) => {
      const { set, client } = await apart(mode)
      const got = await client.receiveAll('slave')
      expect(bodiesOf(got)).toHaveLength(6)
      await client.ack('slave', got.slice(0, 4))
      await set.time.advance(SLAVE_GOES_ON_MS)
      expect(set.broker('slave').servingEpoch).toBeDefined()
      const late = await client.sendAll(2)

      await set.untilServing('master')
      expect(set.broker('slave').servingEpoch).toBeUndefined()
      expect(bodiesOf(await client.receiveAll('master'))).toEqual(late)
      await client.ack('master', got.slice(4, 5))
      await set.time.advance(AFTER_ALL_LEASES_MS)
      expect(bodiesOf(await client.receiveAll('master'))).toEqual([...bodiesOf(got.slice(5)), ...late])
    },
  )

  // What of the unsynced survives a power cut the seed decides.
  test.each([1, 2, 3, 4])(
    'when the token is there, the master has it all on its disk (seed %i)',
    async (seed) => {
      const { set, client } = await apart(ASYNC, seed)
      const got = await client.receiveAll('slave')
      await client.ack('slave', got)
      await set.untilServing('master')
      set.kill('slave')
      set.cutPower('master')
      await set.start('master')
      await set.untilServing('master', 20_000)
      await set.time.advance(AFTER_ALL_LEASES_MS)
      expect(bodiesOf(await client.receiveAll('master'))).toEqual([])
    },
  )

  test('SYNC: the token stays, told once and without a seal; progress travels', async () => {
    const { set, client } = await apart(SYNC)
    const got = await client.receiveAll('slave')
    await client.ack('slave', got.slice(0, 4))
    const epoch = set.broker('slave').servingEpoch
    for (let second = 0; second < 20; second += 1) {
      await set.time.advance(1_000)
      expect([set.broker('slave').servingEpoch, set.broker('master').servingEpoch]).toEqual([
        epoch,
        undefined,
      ])
    }
    const told = toldBy(set, 'slave')
    expect(told.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug', 'debug'])
    expect(told[0]?.why).toContain('inSyncReplicas=2, but only 1')

    set.kill('slave')
    await set.untilServing('master')
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(bodiesOf(await client.receiveAll('master'))).toEqual(bodiesOf(got.slice(4)))
  })

  test('a master that lost the end of its log is given nothing: the slave holds what it does not', async () => {
    const set = await pair(ASYNC)
    const client = new Client(set)
    const kept = await client.sendAll(2)
    await set.time.advance(FLUSHED_MS)
    const lost = await client.sendAll(2)
    await set.untilCopied('slave')
    set.cutPower('master')
    set.net.cut('master', 'slave')
    await set.untilServing('slave')
    const got = await client.receiveAll('slave')
    expect(bodiesOf(got)).toEqual([...kept, ...lost])
    await client.ack('slave', got)
    await set.start('master')
    const { role, store } = set.broker('master')
    await set.time.runUntil(() => role.kind === 'master' && role.writability.isWritable, 20_000)
    expect(store.end).toBeLessThan(set.broker('slave').store.end)
    await client.sendAll(6)
    expect(store.end).toBeGreaterThan(set.broker('slave').store.end)
    await set.time.advance(20_000)
    expect(set.broker('slave').servingEpoch).toBeDefined()
    expect(set.broker('master').servingEpoch).toBeUndefined()
    const told = toldBy(set, 'slave')
    expect(told.map(({ level }) => level)).toEqual(['warn', ...told.slice(1).map(() => 'debug')])
    expect(told[0]?.why).toContain("the slave's log goes on to")
  })

  test('SYNC: with another slave, whom an OK can wait for, the token goes to the master', async () => {
    const { set, client } = await apart(SYNC, 1, ['slave-2'])
    const got = await client.receiveAll('slave')
    await client.ack('slave', got.slice(0, 4))
    const { role } = set.broker('master')
    await set.time.runUntil(() => role.kind === 'master' && role.durability.shortage() === undefined)
    const late = await client.sendAll(2)
    expect(set.broker('slave').servingEpoch).toBeDefined()
    await set.untilServing('master')
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(bodiesOf(await client.receiveAll('master'))).toEqual([...bodiesOf(got.slice(4)), ...late])
  })

  test('a slave that cannot hand over any more tells what it had taken', async () => {
    const { set, client } = await apart(SYNC)
    const got = await client.receiveAll('slave')
    await client.ack('slave', got.slice(0, 4))
    set.kill('slave')
    await set.untilServing('master')
    await set.start('slave')
    const [first] = await client.receive('master') // It cannot know.
    expect(first).toBeDefined()
    await set.time.runUntil(() =>
      set.log('slave').messages().includes('told the master what is known here of progress'),
    )
    await set.time.advance(AFTER_ALL_LEASES_MS)
    expect(bodiesOf(await client.receiveAll('master'))).toEqual(bodiesOf(got.slice(4)))
  })

  test('once they are connected, serving goes straight, whatever was refused around just before', async () => {
    const { set } = await apart(SYNC)
    await set.time.runUntil(() => toldBy(set, 'slave').length === 3, 30_000)
    set.net.healAll()
    expect(await set.untilServing('master')).toBeLessThan(3_000)
    const handed = set
      .log('slave')
      .lines.find(({ message }) => message === 'handed serving back to the master')
    expect(handed?.facts).toMatchObject({ route: 'straight' })

    set.kill('master')
    await set.untilServing('slave')
    set.net.cut('master', 'slave')
    await set.start('master')
    await set.time.runUntil(() => toldBy(set, 'slave').filter(({ level }) => level === 'warn').length === 2)
  })

  test.each([
    ['ASYNC', ASYNC],
    ['SYNC', SYNC],
  ])(
    '%s: nor is it enough that the log gets through: where progress does not for 5 s, it goes around',
    async (_name, mode) => {
      const { set, client } = await served(mode)
      const got = await client.receiveAll('slave')
      await client.ack('slave', got.slice(0, 4))
      set.blockMetadata(true)
      await set.start('master')
      await set.untilCopied('slave')
      expect(await set.untilServing('master')).toBeGreaterThan(4_000)
      expect(toldBy(set, 'slave').filter(({ level }) => level === 'warn')).toHaveLength(1)
      await set.time.advance(AFTER_ALL_LEASES_MS)
      expect(bodiesOf(await client.receiveAll('master'))).toEqual(bodiesOf(got.slice(4)))
    },
  )

  test('not while one of them does not reach metadata-rpc, and only 5 s after both do', async () => {
    const { set } = await apart(ASYNC)
    set.wire('master').cut()
    await set.time.advance(10_000)
    set.wire('master').heal()
    await set.time.advance(5_000)
    expect(set.broker('slave').servingEpoch).toBeDefined()
    expect(await set.untilServing('master')).toBeLessThan(3_000)
  })

  test('a master that was away for long and reaches its slave when it is back gets it straight', async () => {
    const set = await pair(SYNC)
    await new Client(set).sendAll(6)
    await set.untilCopied('slave')
    set.kill('master')
    await set.time.advance(20_000)
    await set.start('master')
    await set.untilServing('master')
    expect(toldBy(set, 'slave')).toEqual([])
  })
})
