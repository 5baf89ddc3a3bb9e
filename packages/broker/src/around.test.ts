import { describe, expect, test } from 'vitest'
import { ASYNC, ASYNC_FLUSHED, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const FLUSHED_MS = 1_000
const SLAVE_GOES_ON_MS = 4_000
const AFTER_ALL_LEASES_MS = 40_000

/** The master was away, is back, and it and the slave, which serves, do not reach each other. */
async function apart(mode: typeof ASYNC, slaves = 1) {
  const set = new BrokerSet(mode, { slaves })
  await set.start('master')
  await set.start('slave')
  await set.untilServing('master')
  const { role } = set.broker('master')
  await set.time.runUntil(() => role.kind === 'master' && role.replicas().some(({ known }) => known))
  const client = new Client(set)
  await client.sendAll(6)
  await set.untilCopied('slave')
  await set.time.advance(FLUSHED_MS)
  set.kill('master')
  await set.untilServing('slave')
  set.net.cut('master', 'slave')
  await set.start('master')
  return { set, client }
}

describe('rule 4.7: master and slave reach metadata-rpc but not each other', () => {
  test.each([
    ['ASYNC', ASYNC],
    ['ASYNC_FLUSHED', ASYNC_FLUSHED],
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
})
