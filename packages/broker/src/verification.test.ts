import { expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { Client } from './testing/client.ts'

const SMALL = { segmentBytes: 65_536 }
const FIRST_SEGMENT = '/store/commitlog/00000000000000000000'
const FLIPPED = 30_000

test('a byte that changed in a closed segment of the slave is named by both sides; readiness and replication do not mind', async () => {
  const set = new BrokerSet(ASYNC)
  await set.start('master', SMALL)
  await set.start('slave', SMALL)
  await set.untilServing('master')
  const { store } = set.broker('master')
  await set.time.runUntil(() => store.isWritable)
  const client = new Client(set)
  await client.sendAll(700)
  await set.untilCopied('slave')
  expect(set.broker('slave').store.end).toBeGreaterThan(2 * SMALL.segmentBytes)
  await set.stop('slave')
  const right = set.broker('master').store.read(FLIPPED, 1).readUInt8(0)
  set.machine('slave').files.corrupt(FIRST_SEGMENT, FLIPPED, Buffer.of(right ^ 0x10))

  await set.start('slave', SMALL)
  const { role } = set.broker('master')
  if (role.kind !== 'master') throw new Error('the master is one')
  const verification = () => set.broker('master').details.replicas[0]?.verification
  await set.time.runUntil(() => role.replicas().some(({ known }) => known))
  const range = role.verify()
  await set.time.runUntil(() => verification()?.run?.isDone === true)
  expect(range).toEqual({ from: 0, to: set.broker('master').visible.at })

  const found = verification()?.mismatches ?? []
  expect(found).toHaveLength(1)
  const [named = { from: 0, to: 0 }] = found
  expect(named.from <= FLIPPED && FLIPPED < named.to && named.to - named.from <= 64).toBe(true)
  await set.time.runUntil(() => set.broker('slave').details.following?.mismatches.length === 1)
  expect(set.broker('slave').details.following?.mismatches).toEqual(found)
  for (const name of ['master', 'slave']) {
    expect(set.log(name).lines.filter(({ facts }) => facts['from'] === named.from)).toHaveLength(1)
    expect(set.broker(name).readiness.ready).toBe(true)
  }
  expect(await client.sendAll(3)).toHaveLength(3)
  await set.untilCopied('slave')
})
