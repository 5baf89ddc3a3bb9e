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

async function started(mode: DurabilityMode, slaves = 1) {
  const set = new BrokerSet(mode, { slaves })
  const names = slaves === 1 ? ['slave'] : Array.from({ length: slaves }, (_, index) => `slave-${index + 1}`)
  for (const name of ['master', ...names]) await set.start(name)
  await set.untilServing('master')
  await isFollowed(set, 'master', slaves)
  return { set, client: new Client(set), names }
}

/** Until that broker is master, takes messages, serves, and so many replicas follow it. */
async function isFollowed(set: BrokerSet, name: string, replicas: number): Promise<void> {
  await set.time.runUntil(() => {
    if (!set.isUp(name)) return false
    const { role, servingEpoch } = set.broker(name)
    if (role.kind !== 'master' || !role.writability.isWritable || servingEpoch === undefined) return false
    return role.replicas().filter(({ known }) => known).length >= replicas
  }, 60_000)
}

const UNFLUSHED = { flushIntervalMs: 600_000 }

/**
 * The master dies, `slave-1` is made master and loses the end of its log in a power cut before it is; then both run again, and nobody reaches `slave-1`.
 * `slave-2` never had that end.
 */
async function withLossySuccessor(acceptLoss: boolean) {
  for (let seed = 1; seed <= 300; seed += 1) {
    const set = new BrokerSet(SYNC, { slaves: 2, seed })
    const client = new Client(set)
    for (const name of ['master', 'slave-1', 'slave-2']) await set.start(name, UNFLUSHED)
    await set.untilServing('master')
    await isFollowed(set, 'master', 2)
    const sent = await client.sendAll(5)
    await set.untilCopied('slave-2')
    set.net.cut('master', 'slave-2')
    sent.push(...(await client.sendAll(5)))
    await set.untilCopied('slave-1')
    const { end } = set.broker('slave-1').store
    set.kill('master')
    await set.time.advance(1_500)
    set.net.cut('master', 'slave-1')
    set.net.cut('slave-2', 'slave-1')
    const request = { set: 'broker-a', to: 'slave-1', oldMasterIsOff: true, acceptLoss }
    await set.time.outcome(set.registry.promote(request))
    set.cutPower('slave-1')
    await set.start('master', UNFLUSHED)
    const { store } = await set.start('slave-1', UNFLUSHED)
    if (store.end > 0 && store.end < end && store.end <= set.broker('slave-2').store.end)
      return { set, client, sent }
  }
  throw new Error('no power cut lost anything')
}

function isMasterWithEpoch(set: BrokerSet, name: string): boolean {
  return set.isUp(name) && set.broker(name).role.kind === 'master' && set.broker(name).store.isWritable
}

function promote(
  set: BrokerSet,
  request: { to?: string; oldMasterIsOff?: boolean; acceptLoss?: boolean } = {},
) {
  return set.registry.promote({ set: 'broker-a', oldMasterIsOff: false, acceptLoss: false, ...request })
}

describe('promotion by hand (rule 3.5)', () => {
  test.each(MODES)(
    'the master steps down, its slave has all it had and is the master; the old one is its slave, and nothing is lost (%s)',
    async (_name, mode) => {
      const { set, client } = await started(mode)
      const sent = await client.sendAll(20)
      const done = await set.time.outcome(promote(set))
      expect(done).toMatchObject({ master: 'slave', words: expect.stringContaining('has stepped down') })
      await isFollowed(set, 'slave', 1)
      expect(set.broker('master').role.kind).toBe('slave')
      expect(set.broker('slave').store.lineage?.epochs.at(-1)?.epoch).toBe(done.epoch)
      const more = await client.sendAll(5, 'slave')
      await set.untilCopied('master', 'slave')
      expect(set.logOf('master').equals(set.logOf('slave'))).toBe(true)
      expect(bodiesOf(await client.receiveAll('slave'))).toEqual([...sent, ...more])
    },
  )

  test('what was acknowledged at the old master is not delivered again by the new one', async () => {
    const { set, client } = await started(SYNC)
    await client.sendAll(5)
    await client.ack('master', await client.receiveAll('master'))
    await set.time.outcome(promote(set))
    await isFollowed(set, 'slave', 1)
    expect(await client.receiveAll('slave')).toEqual([])
  })

  test('a dead master is not followed without the word that it is off; with it the slave goes on, and it comes back as a slave with what diverged saved', async () => {
    const { set, client } = await started(ASYNC)
    const sent = await client.sendAll(10)
    await set.untilCopied('slave')
    set.net.cut('master', 'slave')
    const diverged = await client.sendAll(3)
    const { end } = set.broker('master').store
    set.kill('master')
    set.net.heal('master', 'slave')
    await set.untilServing('slave')
    await expect(set.time.outcome(promote(set))).rejects.toMatchObject({
      code: 'PROMOTION_REFUSED',
      message: expect.stringContaining('--old-master-is-off'),
    })
    const { end: from } = set.broker('slave').store
    const done = await set.time.outcome(promote(set, { oldMasterIsOff: true }))
    expect(done.master).toBe('slave')
    await isFollowed(set, 'slave', 0)
    const more = await client.sendAll(4, 'slave')

    await set.start('master')
    await set.time.runUntil(() => set.isUp('master') && set.broker('master').role.kind === 'slave')
    await set.untilCopied('master', 'slave')
    expect(set.logOf('master').equals(set.logOf('slave'))).toBe(true)
    expect(bodiesOf(await client.receiveAll('slave'))).toEqual([...sent, ...more])
    expect(diverged).toHaveLength(3)
    expect(set.machine('master').files.list('/store/diverged').join()).toContain(`${from}-${end}-`)
    expect(set.log('master').messages('warn').join()).toContain('cutting the commit log')
  })

  test('a master whose slave was promoted while it was dead opens no epoch when it comes back, also before it can reach the registry', async () => {
    const { set, client } = await started(ASYNC)
    await client.sendAll(3)
    await set.untilCopied('slave')
    set.kill('master')
    await set.untilServing('slave')
    const { words } = await set.time.outcome(promote(set, { oldMasterIsOff: true }))
    expect(words).toContain('what that one took after its last words it may have alone')
    await isFollowed(set, 'slave', 0)
    const back = await set.start('master')
    set.wire('master').silence()
    await set.time.advance(20_000)
    expect(back.store.isWritable).toBe(false)
    await expect(set.time.outcome(client.send())).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
  })

  test('roles are kept over restarts, and the promoted one can be followed in turn', async () => {
    const { set, client } = await started(SYNC)
    const sent = await client.sendAll(5)
    await set.time.outcome(promote(set))
    await isFollowed(set, 'slave', 1)
    for (const name of ['slave', 'master']) await set.stop(name)
    for (const name of ['master', 'slave']) await set.start(name)
    await isFollowed(set, 'slave', 1)
    expect(set.broker('master').role.kind).toBe('slave')
    await set.time.outcome(promote(set))
    await isFollowed(set, 'master', 1)
    const more = await client.sendAll(5)
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    expect(bodiesOf(await client.receiveAll('master'))).toEqual([...sent, ...more])
  })

  test('a slave that was a master once and has lost its power since is promoted: what it may have lacked it has copied', async () => {
    const { set, client } = await started(SYNC_FLUSHED)
    await client.sendAll(5)
    await set.time.outcome(promote(set))
    await isFollowed(set, 'slave', 1)
    set.cutPower('master')
    await set.start('master')
    await set.time.advance(6_000) // Until the registry no longer believes in the process before.
    await client.sendAll(3, 'slave')
    await set.time.outcome(promote(set))
    await isFollowed(set, 'master', 1)
    expect(await client.receiveAll('master')).toHaveLength(8)
  })

  test('a successor whose machine fails before it is master goes on if it still holds what it was appointed for', async () => {
    const { set, client } = await started(SYNC_FLUSHED)
    const sent = await client.sendAll(5)
    for (const name of ['slave', 'master']) {
      await set.time.outcome(promote(set))
      await isFollowed(set, name, 1)
    }
    await set.time.outcome(promote(set))
    set.cutPower('slave')
    await set.start('slave')
    await isFollowed(set, 'slave', 1)
    expect(bodiesOf(await client.receiveAll('slave'))).toEqual(sent)
  })

  test('a successor with old doubts is vouched for, though an unfinished record at its end is not there any more', async () => {
    const { set, client } = await started(ASYNC, 2)
    const sent = await client.sendAll(5)
    await set.time.advance(2_000)
    set.cutPower('slave-1')
    await set.start('slave-1')
    await isFollowed(set, 'master', 2)
    await set.untilCopied('slave-1')
    for (const name of ['slave-1', 'slave-2']) set.net.cut('master', name)
    await client.sendAll(1)
    const { store } = set.broker('slave-1')
    store.appendRaw(store.end, set.logOf('master').subarray(store.end, store.end + 100))
    await set.time.advance(1_500)
    set.kill('master')
    await set.time.advance(6_000)
    await set.time.outcome(
      set.registry.promote({ set: 'broker-a', to: 'slave-1', oldMasterIsOff: true, acceptLoss: false }),
    )
    // Sooner than one that doubts goes on by itself.
    await set.time.runUntil(() => isMasterWithEpoch(set, 'slave-1'), 4_000)
    await isFollowed(set, 'slave-1', 1)
    expect(bodiesOf(await client.receiveAll('slave-1'))).toEqual(sent)
  })

  test('a successor that lost its tail before it was master asks all that its own master had counted, not the first that comes (rules 3.2, 3.3)', async () => {
    const { set, client, sent } = await withLossySuccessor(false)
    set.net.heal('slave-1', 'slave-2')
    await set.time.advance(20_000)
    const { role, problems } = set.broker('slave-1')
    expect(role.kind === 'master' && role.writability.isWritable).toBe(false)
    expect(problems.join()).toContain('heard 1 of 2 replicas that could know it')
    set.net.heal('slave-1', 'master')
    await isFollowed(set, 'slave-1', 2)
    expect(bodiesOf(await client.receiveAll('slave-1'))).toEqual(sent)
  })

  test('a successor by a promotion that gives up what absent ones may hold goes on with what it has; its next losses are judged as ever (rule 3.4)', async () => {
    const { set, client, sent } = await withLossySuccessor(true)
    await set.time.runUntil(() => isMasterWithEpoch(set, 'slave-1'))
    const { end } = set.broker('slave-1').store
    set.net.healAll()
    await isFollowed(set, 'slave-1', 1)
    expect(set.log('slave-1').messages('info')).not.toContain('the log has what it lacked')
    expect(bodiesOf(await client.receiveAll('slave-1')).length).toBeLessThan(sent.length)
    expect(set.broker('slave-1').store.end).toBe(end)

    set.net.cut('master', 'slave-1')
    set.net.cut('slave-2', 'slave-1')
    set.cutPower('slave-1')
    await set.start('slave-1', UNFLUSHED)
    await set.time.advance(20_000)
    expect(set.broker('slave-1').problems.join()).toContain('the tail of this log may be missing')
  })

  test('of two slaves the one that holds more is promoted, the other follows it; a living master is not believed to be off', async () => {
    const { set, client } = await started(SYNC, 2)
    await client.sendAll(5)
    await set.untilCopied('slave-2')
    set.net.cut('master', 'slave-1')
    const more = await client.sendAll(5)
    await expect(set.time.outcome(promote(set, { oldMasterIsOff: true }))).rejects.toThrow('is not off')
    await set.untilCopied('slave-2')
    set.kill('master')
    await set.time.advance(1_500)
    await expect(set.time.outcome(promote(set, { to: 'slave-1', oldMasterIsOff: true }))).rejects.toThrow(
      'slave-2 holds more',
    )
    expect(await set.time.outcome(promote(set, { oldMasterIsOff: true }))).toMatchObject({
      master: 'slave-2',
    })
    await isFollowed(set, 'slave-2', 1)
    await client.sendAll(3, 'slave-2')
    await set.untilCopied('slave-1', 'slave-2')
    expect(set.logOf('slave-1').equals(set.logOf('slave-2'))).toBe(true)
    expect(bodiesOf(await client.receiveAll('slave-2')).slice(5, 10)).toEqual(more)
  })

  test('with one of two slaves away nobody knows who holds an acknowledged message: refused', async () => {
    const { set, client, names } = await started(SYNC, 2)
    expect(names).toHaveLength(2)
    await client.sendAll(3)
    set.kill('slave-2')
    set.kill('master')
    await set.time.advance(1_500)
    await expect(set.time.outcome(promote(set, { oldMasterIsOff: true }))).rejects.toThrow(
      'only 1 of the 2 replicas',
    )
    const done = await set.time.outcome(promote(set, { oldMasterIsOff: true, acceptLoss: true }))
    expect(done.master).toBe('slave-1')
  })

  test('a master that left in order has said where its log ends: its slave may follow without any other word', async () => {
    const { set, client } = await started(SYNC)
    const sent = await client.sendAll(5)
    await set.untilCopied('slave')
    await set.stop('master')
    await set.untilServing('slave')
    expect((await set.time.outcome(promote(set))).words).toContain('left in order')
    await set.untilServing('slave')
    await set.time.runUntil(
      () => set.broker('slave').role.kind === 'master' && set.broker('slave').servingEpoch !== undefined,
    )
    await set.start('master')
    await isFollowed(set, 'slave', 1)
    expect(bodiesOf(await client.receiveAll('slave'))).toEqual(sent)
  })
})
