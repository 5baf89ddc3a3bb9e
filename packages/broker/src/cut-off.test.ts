import { expect, test } from 'vitest'
import { BrokerSet, SYNC } from './testing/broker-set.ts'
import { Client, bodiesOf } from './testing/client.ts'

test('a slave shows what its master has confirmed; while it serves alone, all that it has (rule 4.4)', async () => {
  const set = new BrokerSet({ ...SYNC, inSyncReplicas: 3 }, { slaves: 2 })
  for (const name of ['master', 'slave-1', 'slave-2']) await set.start(name)
  await set.untilServing('master')
  const client = new Client(set)
  const { role } = set.broker('master')
  await set.time.runUntil(
    () => role.kind === 'master' && role.replicas().filter(({ known }) => known).length === 2,
  )
  const sent = await client.sendAll(3)
  await set.time.advance(100)
  const confirmed = set.broker('master').store.end
  set.net.cut('master', 'slave-2')
  void client.send()
  await set.time.advance(200)
  const slave = set.broker('slave-1')
  expect(slave.store.end).toBeGreaterThan(confirmed)
  expect([slave.visible.at, set.broker('master').visible.at]).toEqual([confirmed, confirmed])

  set.kill('master')
  await set.untilServing('slave-1')
  await set.time.runUntil(() => slave.visible.at === slave.store.end, 1_000)
  expect(bodiesOf(await client.receiveAll('slave-1'))).toEqual([...sent, 'body 4'])
})

test('a master that is back, but cut off from the slave that serves, is not given serving before they meet again where OK waits for replicas (rule 4.7)', async () => {
  const set = new BrokerSet(SYNC)
  await set.startPair()
  const client = new Client(set)
  const sent = await client.sendAll(4)
  await set.untilCopied('slave')
  await set.time.advance(300) // The slave has heard of the topic too.
  set.kill('master')
  await set.untilServing('slave')
  const first = await client.receive('slave')
  await client.ack('slave', first.slice(0, 2))
  set.net.cut('master', 'slave')
  await set.start('master')
  for (let second = 0; second < 20; second += 1) {
    await set.time.advance(1_000)
    expect([set.broker('slave').servingEpoch !== undefined, set.broker('master').servingEpoch]).toEqual([
      true,
      undefined,
    ])
  }
  const told = set.log('slave').lines.filter(({ message }) => message.includes('did not take serving back'))
  expect(told.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug'])
  set.net.heal('master', 'slave')
  await set.untilServing('master')
  expect(set.broker('slave').servingEpoch).toBeUndefined()
  await set.time.advance(31_000)
  expect(bodiesOf(await client.receiveAll('master')).toSorted()).toEqual(sent.slice(2))
})
