import { expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'
import { SLOW_TO_COPY } from './testing/slow-to-copy.ts'

const MESSAGES = 40

test('rule 5.2: a slave that has to serve while it is copying gives nobody again what was acknowledged of what it has', async () => {
  const set = new BrokerSet(ASYNC)
  const master = await set.start('master', { master: SLOW_TO_COPY })
  await set.untilServing('master')
  const client = new Client(set)
  await client.sendAll(MESSAGES)
  const got = await client.receiveAll('master')
  expect(bodiesOf(got)).toHaveLength(MESSAGES)
  await client.ack('master', got.slice(0, -1))

  const { store, metadata } = await set.start('slave')
  await set.time.runUntil(() => metadata.pending > 0)
  const before = store.end
  await set.time.runUntil(() => store.end > master.store.end / 2, 60_000)
  expect(before).toBeLessThan(store.end)
  expect(store.end).toBeLessThan(master.store.end)
  set.kill('master')
  await set.untilServing('slave')
  await set.time.advance(60_000)
  expect(bodiesOf(await client.receiveAll('slave'))).toEqual([])
})
