import { expect, test } from 'vitest'
import { okMeans } from './durability-mode.ts'
import { BrokerSet, SYNC, SYNC_FLUSHED } from './testing/broker-set.ts'
import { Client, bodiesOf } from './testing/client.ts'

const DEGRADING = { ...SYNC, leastInSyncReplicas: 1 }
const CHANGED = 'what OK means has changed'

async function pair(mode = DEGRADING) {
  const set = new BrokerSet(mode)
  for (const name of ['master', 'slave']) await set.start(name)
  await set.untilServing('master')
  const { role } = set.broker('master')
  await set.time.runUntil(() => role.kind === 'master' && role.requiredReplicas === 2)
  const means = (): string => set.broker('master').okMeans
  return { set, client: new Client(set), means }
}

function changesOf(set: BrokerSet): unknown[] {
  return set
    .log('master')
    .lines.filter(({ message }) => message === CHANGED)
    .map(({ facts }) => facts['okMeans'])
}

test('with the slave gone a master that may do with less goes on, and what OK means changes in that moment, in words', async () => {
  const { set, client, means } = await pair()
  const before = means()
  expect(before).toContain('and one replica')
  const sent = await client.sendAll(3)
  const under = client.send()
  set.kill('slave')
  await expect(set.time.outcome(under, 3_500)).resolves.toMatchObject({ status: 'OK' })
  sent.push('body 4', ...(await client.sendAll(3)))
  expect(means()).toContain('Degraded: inSyncReplicas=2, but no more than 1')
  expect(changesOf(set).at(-1)).toBe(means())
  expect(set.broker('master').details.problems.join()).toContain('Degraded')
  expect(set.broker('master').details.okMeans).toBe(means())
  expect(set.broker('master').readiness).toMatchObject({ ready: true, okMeans: means() })
  expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)

  await set.start('slave')
  await set.untilCopied('slave')
  await set.time.runUntil(() => means() === before)
  expect(changesOf(set).at(-1)).toBe(before)
  expect(set.broker('master').details.problems).toEqual([])
  const answer = client.send()
  set.net.cut('master', 'slave')
  await set.time.advance(1_000)
  set.net.heal('master', 'slave')
  await expect(set.time.outcome(answer)).resolves.toMatchObject({ status: 'OK' })
  expect(set.logOf('slave').equals(set.logOf('master'))).toBe(true)
})

test('without that permission the same loss refuses sends', async () => {
  const set = new BrokerSet(SYNC)
  await set.start('master')
  await set.start('slave')
  await set.untilServing('master')
  const client = new Client(set)
  await set.time.runUntil(() => set.broker('master').readiness.ready)
  set.kill('slave')
  await set.time.advance(100)
  await expect(set.time.outcome(client.send())).rejects.toMatchObject({ code: 'IN_SYNC_REPLICAS_NOT_ENOUGH' })
  expect(changesOf(set)).toEqual([])

  const told = (): unknown[] =>
    set
      .log('master')
      .lines.filter(({ message }) => message.startsWith('messages are'))
      .map(({ level, message, facts }) => [level, message, ...Object.values(facts)])
  const why = expect.stringContaining('only 1 (master included) can acknowledge now: start the slaves')
  await expect(set.time.outcome(client.send())).rejects.toMatchObject({ code: 'IN_SYNC_REPLICAS_NOT_ENOUGH' })
  expect(told()).toEqual([['warn', 'messages are refused', why]])
  await set.start('slave')
  await set.time.runUntil(() => set.broker('master').readiness.ready)
  await client.sendAll(2)
  expect(told().slice(1)).toEqual([['info', 'messages are taken again']])
})

test('a tail that may have been acknowledged by the master alone is still fetched from the slave that holds it', async () => {
  const { set, client } = await pair(DEGRADING)
  const sent = await client.sendAll(20)
  await set.untilCopied('slave')
  set.cutPower('master')
  await set.untilServing('slave')
  await set.start('master')
  await set.untilServing('master')
  expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
})

test('what OK means says beforehand that it may come to mean less', () => {
  expect(okMeans({ ...SYNC, inSyncReplicas: 3, leastInSyncReplicas: 2 })).toBe(
    'appended to the logs of this master and 2 replicas. Survives the loss of 2 machines. With fewer replicas known it waits for less, at least for 2, this master included (enableAutoInSyncReplicas).',
  )
  expect(okMeans({ ...SYNC_FLUSHED, leastInSyncReplicas: 1 }, 1)).toBe(
    "on this master's disk, and nothing more: no replica is waited for. Degraded: inSyncReplicas=2, but no more than 1 (master included) can acknowledge now.",
  )
})
