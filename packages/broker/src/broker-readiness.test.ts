import { expect, test } from 'vitest'
import type { Broker } from './broker.ts'
import { ASYNC, BrokerSet, SYNC } from './testing/broker-set.ts'
import { Client, bodiesOf } from './testing/client.ts'

/** The checks that fail now. */
function failing(broker: Broker): readonly string[] {
  return [...new Set(broker.readiness.problems.map(({ check }) => check))].toSorted()
}

test('a master of synchronous replication is ready with its slave and not without, and answers consumers all the time (rule 6.3)', async () => {
  const set = new BrokerSet(SYNC)
  const master = await set.start('master')
  await set.untilServing('master')
  expect(failing(master)).toEqual(['in_sync', 'writable'])
  expect(master.readiness).toMatchObject({ ready: false, role: 'master', set: 'broker-a', serving: true })
  const slave = await set.start('s1')
  expect(failing(slave)).toContain('in_sync')
  await set.time.runUntil(() => master.readiness.ready)
  await set.time.runUntil(() => slave.readiness.ready)
  expect(slave.readiness).toMatchObject({ role: 'slave', serving: false })
  set.kill('s1')
  await set.time.runUntil(() => !master.readiness.ready)
  expect(failing(master)).toEqual(['in_sync', 'writable'])
})

test('a master whose slave is gone for good shows what was confirmed, says what can be done, and goes on with fewer (rule 6.3)', async () => {
  const set = new BrokerSet(SYNC)
  for (const name of ['master', 's1']) await set.start(name)
  await set.untilServing('master')
  await set.time.runUntil(() => set.broker('master').readiness.ready)
  const client = new Client(set)
  const sent = await client.sendAll(5)
  set.kill('s1')
  await set.time.runUntil(() => !set.broker('master').readiness.ready)
  const words =
    'inSyncReplicas=2, but only 1 (master included) can acknowledge now: start the slaves that are missing, add one, or start this master with fewer'
  expect(set.broker('master').readiness.problems.map(({ message }) => message)).toEqual([words, words])
  expect(set.broker('master').details.problems).toEqual([words])
  await expect(set.time.outcome(client.send())).rejects.toMatchObject({ code: 'IN_SYNC_REPLICAS_NOT_ENOUGH' })
  expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)

  await set.stop('master')
  const alone = await set.start('master', { mode: { ...SYNC, inSyncReplicas: 1 } })
  await set.untilServing('master')
  await set.time.runUntil(() => alone.readiness.ready)
  expect(alone.okMeans).toContain('inSyncReplicas=1 waits for nobody')
  await client.sendAll(2)
})

test('a master that waits for nobody is ready alone, and says what OK means then', async () => {
  const set = new BrokerSet({ ...SYNC, inSyncReplicas: 1 })
  const master = await set.start('master')
  await set.untilServing('master')
  expect(master.readiness).toMatchObject({
    ready: true,
    okMeans: expect.stringContaining('waits for nobody'),
  })
})

test('without the registry a broker is not registered, and in time serves nobody', async () => {
  const set = new BrokerSet(ASYNC)
  const master = await set.start('master')
  await set.untilServing('master')
  expect(master.readiness.ready).toBe(true)
  set.wire('master').cut()
  expect(failing(master)).toEqual(['registered'])
  await set.time.runUntil(() => master.servingEpoch === undefined)
  expect(failing(master)).toEqual(['registered', 'serving'])
  set.wire('master').heal()
  await set.time.runUntil(() => master.readiness.ready)
})

test('a full disk keeps a master from being ready until there is room', async () => {
  const set = new BrokerSet(ASYNC)
  const master = await set.start('master')
  await set.untilServing('master')
  const { files } = set.machine('master')
  files.resize(1)
  expect(master.readiness.problems).toEqual([
    { check: 'writable', message: 'the disk has no room for messages' },
  ])
  files.resize(2 ** 40)
  expect(master.readiness.ready).toBe(true)
})

test('a slave that lacks more of the log than a moment of it is not in sync', async () => {
  const set = new BrokerSet(ASYNC)
  const master = await set.start('master')
  await set.untilServing('master')
  const slave = await set.start('s1')
  await set.time.runUntil(() => slave.readiness.ready)
  set.net.link('s1', 'master').cut()
  set.net.link('master', 's1').cut()
  await new Client(set).sendAll(10)
  await set.time.runUntil(() => !slave.readiness.ready)
  expect(failing(slave)).toEqual(['in_sync'])
  expect(master.readiness.ready).toBe(true)
})

test('a slave that gets the log and never what its master knows of consumers is not ready to step in, and says so', async () => {
  const set = new BrokerSet(ASYNC)
  await set.start('master')
  await set.untilServing('master')
  set.blockMetadata(true)
  const slave = await set.start('s1')
  await set.time.runUntil(() => slave.readiness.ready)
  // Once is not worth a word.
  await set.time.advance(5_000)
  expect(slave.problems).toEqual([])
  await set.time.runUntil(() => !slave.readiness.ready, 30_000)
  expect(failing(slave)).toEqual(['in_sync'])
  expect(slave.problems).toEqual([expect.stringMatching(/not what .* topics and consumers/)])
  set.blockMetadata(false)
  await set.time.runUntil(() => slave.readiness.ready, 15_000)
  expect(slave.problems).toEqual([])
})

test('a slave whose master is gone is ready while it serves; one that its master refuses is not', async () => {
  const cluster = new BrokerSet(ASYNC)
  await cluster.start('master')
  const slave = await cluster.start('s1')
  await cluster.time.runUntil(() => slave.role.kind === 'slave' && slave.role.masterConnected)
  cluster.kill('master')
  await cluster.untilServing('s1')
  expect(slave.readiness).toMatchObject({ ready: true, serving: true, problems: [] })

  const strangers = new BrokerSet(ASYNC)
  await strangers.start('master')
  const stranger = await strangers.start('s1', { set: 'broker-b', identity: 'broker-b-1' })
  await strangers.untilServing('s1')
  expect(stranger.readiness).toMatchObject({
    ready: false,
    serving: true,
    problems: [
      { check: 'in_sync', message: expect.stringContaining('is of broker set "broker-b", its peer of') },
    ],
  })
})
