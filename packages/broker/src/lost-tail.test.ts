import { describe, expect, test } from 'vitest'
import type { DurabilityMode } from './durability-mode.ts'
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

/** Tries seeds until the master, started again, has less of the log than that slave, more than `leastLeft` and no more than `mostLeft`. */
async function lossy<Members extends { readonly set: BrokerSet }>(
  powerCut: (seed: number) => Promise<Members>,
  slave: string,
  leastLeft = -1,
  mostLeft = Infinity,
): Promise<Members> {
  for (let seed = 1; ; seed += 1) {
    const members = await powerCut(seed)
    const { store } = await members.set.start('master', noNewLog)
    const isFit = store.end > leastLeft && store.end <= mostLeft
    if (isFit && store.end < members.set.broker(slave).store.end) return members
    if (seed === 300) throw new Error('no power cut lost anything')
  }
}

/** A master and its slave with the same messages, then without a way to each other and the master without power. */
async function cutOff(mode: DurabilityMode, seed: number): ReturnType<typeof pair> {
  const members = await pair(mode, 1, seed)
  await members.client.sendAll(20)
  await members.set.untilCopied('slave')
  members.set.net.cut('master', 'slave')
  members.set.cutPower('master')
  return members
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
      let lent = 0
      for (let seed = 1; seed <= 4; seed += 1) {
        const { set, client } = await pair(mode, 1, seed)
        const sent = await client.sendAll(20)
        await set.untilCopied('slave')
        const { end } = set.broker('slave').store
        set.cutPower('master')
        await set.untilServing('slave')
        await set.start('master', noNewLog)
        await set.time.runUntil(isWritable(set))
        if (set.log('slave').messages('warn').includes(LENDING)) lent += 1
        expect(set.broker('master').store.end).toBe(end)
        await set.untilServing('master')
        expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
        const more = await client.sendAll(5)
        await set.untilCopied('slave')
        expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
        expect(bodiesOf(await client.receiveAll('master'))).toEqual(more)
      }
      if (mode.flush === 'async') expect(lent).toBeGreaterThan(0)
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
    const { set, client } = await lossy(async (seed) => {
      const before = await pair(ASYNC, 1, seed)
      await before.client.sendAll(1_500)
      await before.set.time.advance(6_000)
      await before.client.sendAll(20)
      await before.set.untilCopied('slave')
      before.set.cutPower('master')
      before.set.net.cut('master', 'slave')
      return before
    }, 'slave')
    const { store } = set.broker('master')
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
    const { set } = await lossy(async (seed) => {
      const before = await pair({ ...SYNC, inSyncReplicas: 3 }, 2, seed)
      await before.client.sendAll(5)
      await before.set.time.advance(6_000)
      before.set.net.cut('master', 'slave-2')
      for (let count = 0; count < 30; count += 1) before.client.send().catch(() => undefined)
      await before.set.untilCopied('slave-1')
      before.set.cutPower('master')
      before.set.net.healAll()
      before.set.net.cut('master', 'slave-1')
      return before
    }, 'slave-1')
    const { store } = set.broker('master')
    const { end } = set.broker('slave-1').store
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

test.each([
  ['a part of the log', 0],
  ['all of the log', -1],
])(
  'the operator accepts the loss of %s: the master opens an epoch at its own end without asking, and the slave is cut, its bytes saved (rule 3.4)',
  async (_what, leastLeft) => {
    const { set, client } = await lossy(
      (seed) => cutOff(SYNC, seed),
      'slave',
      leastLeft,
      leastLeft === -1 ? 0 : Infinity,
    )
    await set.time.advance(10_000)
    expect(isWritable(set)()).toBe(false)
    set.kill('master')
    const { store } = await set.start('master', { master: { ...noNewLog.master, acceptLoss: true } })
    const { end } = store
    const { end: given } = set.broker('slave').store
    expect(end).toBeLessThan(given)
    await set.time.runUntil(() => store.isWritable)
    expect(store.lineage?.epochs.at(-1)).toMatchObject({ start: end })

    set.net.heal('master', 'slave')
    await set.time.runUntil(() => set.broker('slave').store.end === end)
    await set.time.runUntil(isWritable(set))
    await set.untilServing('master')
    await set.time.runUntil(() => set.broker('master').details.replicas[0]?.state === 'in sync')
    expect(set.machine('slave').files.list('/store/diverged').join()).toContain(`${end}-${given}-`)
    await client.sendAll(3)
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
  },
)

test('with one of two slaves gone for good nobody knows what it held, until the operator has it forgotten (rule 3.3)', async () => {
  const { set, client } = await lossy(async (seed) => {
    const members = await pair(SYNC, 2, seed)
    await members.client.sendAll(20)
    await members.set.untilCopied('slave-1')
    members.set.kill('slave-2')
    members.set.cutPower('master')
    return members
  }, 'slave-1')
  await set.time.advance(30_000)
  expect(isWritable(set)()).toBe(false)
  expect(set.broker('master').problems.join()).toContain('heard 1 of 2 replicas')
  const { role, store } = set.broker('master')
  if (role.kind !== 'master') throw new Error('a master is one')
  await expect(set.time.outcome(role.forget('slave-1'))).rejects.toThrow('slave-1 is here')
  await expect(set.time.outcome(role.forget('slave-3'))).rejects.toThrow('slave-3 is not in the roster: ')
  await set.time.outcome(role.forget('slave-2'))
  await set.time.runUntil(isWritable(set))
  expect(store.end).toBe(set.broker('slave-1').store.end)
  expect(role.roster).toEqual(['slave-1'])
  await set.time.runUntil(() => role.replicas().some(({ known }) => known))
  await client.sendAll(3)
  await set.stop('master')
  await set.start('master', noNewLog)
  expect(set.broker('master').store.roster).toEqual(['slave-1'])
})

test.each([
  ['gives up what the slave holds', { acceptLoss: true }],
  ['gives up what the master has taken since', { acceptLoss: false }],
])(
  'an asynchronous master that lost all of its log and went on alone refuses its slave, both say what can be done, and the operator %s (rule 3.4)',
  async (_what, { acceptLoss }) => {
    const { set, client } = await lossy((seed) => cutOff(ASYNC, seed), 'slave', -1, 0)
    await set.time.runUntil(isWritable(set), 60_000)
    await client.sendAll(3)
    const { end } = set.broker('slave').store
    set.net.heal('master', 'slave')
    await set.time.advance(10_000)
    const words = `lost its log down to the first byte and begun it anew in epoch 2, the slave holds what was lost up to ${end}`
    expect(set.broker('slave').problems.join()).toContain(words)
    expect(set.broker('master').details.replicas).toMatchObject([
      { state: 'refused', problem: expect.stringContaining(words) },
    ])
    if (acceptLoss) set.kill('master')
    else set.replaceDisk('master')
    await set.start('master', { master: { ...noNewLog.master, acceptLoss } })
    await set.time.runUntil(isWritable(set), 60_000)
    await set.time.runUntil(() => set.broker('master').details.replicas[0]?.state === 'in sync', 60_000)
    await client.sendAll(1)
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    expect(set.broker('master').store.end > end).toBe(!acceptLoss)
    const saved = set.machine('slave').files.list('/store').includes('diverged')
    expect(saved).toBe(acceptLoss)
  },
)

/** A master whose tail may be missing, and its slave with a new disk: nobody knows what the tail was. */
async function withoutAWitness(mode: DurabilityMode): Promise<BrokerSet> {
  const { set, client } = await pair(mode)
  await client.sendAll(10)
  await set.untilCopied('slave')
  set.cutPower('master')
  set.kill('slave')
  set.replaceDisk('slave')
  await set.start('master', noNewLog)
  await set.start('slave')
  return set
}

test('an asynchronous master does not wait for a replica that holds nothing of its log (rule 3.2)', async () => {
  const set = await withoutAWitness(ASYNC)
  await set.time.runUntil(isWritable(set), 10_000)
  expect(set.log('master').messages('warn')).toContain(
    'no replica in contact: going on with the log as it is',
  )
})

test('a synchronous one waits without limit, until the operator says that what the replica held is gone (rule 3.3)', async () => {
  const set = await withoutAWitness(SYNC)
  await set.time.advance(60_000)
  expect(set.broker('master').problems.join()).toContain('`tandemmq replica forget`')
  const { role } = set.broker('master')
  if (role.kind === 'master') await set.time.outcome(role.forget('slave'))
  await set.time.runUntil(() => set.broker('master').readiness.ready, 10_000)
  await new Client(set).sendAll(3)
})

describe('an unfinished record at the end of a slave, of which nobody has the rest (rule 1.4)', () => {
  test.each([1, 2, 3])('is fetched once, and given up (seed %i)', async (seed) => {
    const { set, client } = await pair(ASYNC, 1, seed)
    const sent = await client.sendAll(5)
    await set.untilCopied('slave')
    await set.time.advance(300)
    set.net.cut('master', 'slave')
    await client.sendAll(1)
    const { store, role } = set.broker('slave')
    store.appendRaw(store.end, set.logOf('master').subarray(store.end, store.end + 100))
    set.cutPower('master')
    set.net.healAll()
    await set.start('master', noNewLog)
    await set.time.runUntil(() => set.log('slave').messages('warn').includes(LENDING))
    await set.time.runUntil(() => role.kind === 'slave' && role.masterConnected, 30_000)
    await set.untilServing('master')
    expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
    await client.sendAll(1)
    await set.untilCopied('slave')
    expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
    expect(
      set
        .log('slave')
        .messages('warn')
        .filter((message) => message === LENDING),
    ).toHaveLength(1)
  })
})

describe("a slave's own torn tail (rule 1.3)", () => {
  test('that its checksum does not see is cut off before the slave says where its log ends', async () => {
    for (let seed = 1; ; seed += 1) {
      const { set, client } = await pair(SYNC, 1, seed)
      await client.sendAll(3)
      await set.untilCopied('slave')
      const { end } = set.broker('slave').store
      // In the properties: only the body has a checksum.
      set.machine('slave').files.corrupt('/store/commitlog/00000000000000000000', end - 5, Buffer.of(0))
      set.cutPower('slave')
      const { store, role } = await set.start('slave')
      if (store.recovery.end < end && seed < 300) continue
      expect(store.recovery).toMatchObject({ end })
      await set.time.runUntil(() => role.kind === 'slave' && role.masterConnected)
      await set.untilCopied('slave')
      expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
      return
    }
  })

  test('is shown to no consumer before that by a slave that serves', async () => {
    for (let seed = 1; ; seed += 1) {
      const { set, client } = await pair(SYNC, 1, seed)
      const sent = await client.sendAll(3)
      await set.untilCopied('slave')
      set.kill('master')
      set.cutPower('slave')
      const { store, visible } = await set.start('slave')
      const { trustedEnd } = store.recovery
      if (trustedEnd === store.end && seed < 300) continue
      expect(trustedEnd).toBeLessThan(store.end)
      await set.untilServing('slave')
      expect(visible.at).toBeLessThanOrEqual(trustedEnd)
      const shown = await client.receiveAll('slave')
      expect(shown.every(({ record }) => record.physicalOffset < trustedEnd)).toBe(true)
      await set.start('master')
      await set.untilServing('master')
      await set.untilCopied('slave')
      expect(bodiesOf([...shown, ...(await client.receiveAll('master'))])).toEqual(sent)
      return
    }
  })
})
