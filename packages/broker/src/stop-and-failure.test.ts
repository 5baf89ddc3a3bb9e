import { topicConfig } from '@tandemmq/metadata'
import { describe, expect, test } from 'vitest'
import { ASYNC, BrokerSet, SYNC, SYNC_FLUSHED } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

async function pair(mode = ASYNC) {
  const set = new BrokerSet(mode)
  await set.startPair()
  return { set, client: new Client(set) }
}

describe('a clean stop', () => {
  test.each([
    ['SYNC', SYNC],
    ['SYNC_FLUSHED', SYNC_FLUSHED],
  ])('sends under way are answered first, and none is taken any more (%s)', async (_name, mode) => {
    const { set, client } = await pair(mode)
    await client.sendAll(1)
    const { role } = set.broker('master')
    const sent = client.send()
    const stopping = set.stop('master')
    expect((await set.time.outcome(sent)).status).toBe('OK')
    await expect(client.send()).rejects.toMatchObject({ code: 'NOT_WRITABLE', message: 'this master stops' })
    await stopping
    expect(role.kind === 'master' && role.writability.isWritable).toBe(false)
  })

  test('a journal that cannot be closed does not keep the log from being closed', async () => {
    const { set, client } = await pair(ASYNC)
    await client.sendAll(3)
    set.machine('master').files.fail({ call: 'write', code: 'ENOSPC', matching: /journal/, forever: true })
    await expect(set.stop('master')).rejects.toMatchObject({ code: 'DISK_FULL' })
    set.machine('master').kill()
    const master = await set.start('master')
    expect(master.store.recovery.cleanStop).toBe(true)
  })
})

test('a master whose journal has failed says so, and the slave serves', async () => {
  const { set, client } = await pair(ASYNC)
  const sent = await client.sendAll(3)
  await set.untilCopied('slave')
  set.machine('master').files.fail({ call: 'dataSync', code: 'EIO', matching: /journal/ })
  const { metadata } = set.broker('master')
  metadata.commit({ kind: 'topic-put', topic: topicConfig({ name: 'another' }) })
  await expect(set.time.outcome(metadata.synced())).rejects.toMatchObject({ code: 'LOG_FENCED' })
  expect(set.broker('master').problems.join()).toContain('could not be written')
  await set.untilServing('slave')
  expect(bodiesOf(await client.receiveAll('slave'))).toEqual(sent)
})

test('an epoch that the registry has named before this master opened its own keeps it from writing (rule 3.5)', async () => {
  const set = new BrokerSet(ASYNC)
  const options = { master: { haListen: { host: 'master', port: 10912 }, haAdvertisedHost: 'master' } }
  const { role, store } = await set.start('master', {
    master: { ...options.master, createLog: false, acceptLoss: false },
  })
  if (role.kind !== 'master') throw new Error('not a master')
  await set.time.advance(100)
  set.wire('master').silence()
  role.heardOfEpoch(9)
  expect(role.writability.problems.join()).toContain('this disk is empty')
  await set.start('slave')
  await set.time.runUntil(() => store.isWritable)
  await set.time.settle()
  expect(role.writability.problems.join()).toContain('epoch 9 of this log has been opened elsewhere')
})

test('a topic made just after the return of a master is known to its slave at once', async () => {
  const set = new BrokerSet(ASYNC)
  await set.start('master')
  const slave = await set.start('s1')
  const follows = (): boolean => slave.role.kind === 'slave' && slave.role.masterConnected
  await set.time.runUntil(follows)
  set.kill('master')
  // Long enough for the longest pause between two attempts.
  await set.time.advance(25_000)
  const master = await set.start('master')
  await set.time.runUntil(follows)
  master.metadata.commit({ kind: 'topic-put', topic: topicConfig({ name: 'JustMade' }) })
  await set.time.advance(300)
  expect(slave.metadata.topics.get('JustMade')).toBeDefined()
})
