import { rocketmq } from '@tandemmq/rpc'
import { describe, expect, test } from 'vitest'
import { FakeCluster } from './cluster.test-support.ts'

const { Code } = rocketmq

/** What a relay knows: the master serves. */
function relayed() {
  const cluster = new FakeCluster(['Orders'])
  const master = cluster.add('master', 'broker-a')
  const slave = cluster.add('slave', 'broker-a')
  cluster.says('broker-a', { serving: [10, 'master'], writable: 'master' })
  return { cluster, clock: cluster.clock, master, slave }
}

describe('a gateway that no longer knows whether an epoch holds (rules 4.6, 4.8)', () => {
  test('asks its holder to answer by promise, and passes on what that one says', async () => {
    const { cluster, clock, master } = relayed()
    const poll = cluster.receive('Orders')
    await clock.advance(1_000)
    master.api.isPromised = true
    cluster.says('broker-a', { serving: [10, 'master'], writable: 'master', onPromise: true })
    await clock.advance(100)
    expect(master.api.contexts.map(({ servingEpoch, onPromise }) => [servingEpoch, onPromise])).toEqual([
      [10, undefined],
      [10, true],
    ])
    await clock.outcome(cluster.send('Orders'))
    expect((await clock.outcome(poll)).messages).toHaveLength(1)
  })

  test('discards an answer that the holder gave by its lease alone', async () => {
    const { cluster, clock, master } = relayed()
    await clock.outcome(cluster.send('Orders'))
    master.answered = () => {
      master.answered = undefined
      cluster.says('broker-a', { serving: [10, 'master'], writable: 'master', onPromise: true })
    }
    const poll = cluster.receive('Orders', { deadlineMs: 3_000 })
    expect((await clock.outcome(poll)).messages).toEqual([])
  })

  test('holds calls while there is no promise, asks again now and then, and at once when it knows', async () => {
    const { cluster, clock, master } = relayed()
    cluster.says('broker-a', { serving: [10, 'master'], writable: 'master', onPromise: true })
    const poll = cluster.receive('Orders')
    await clock.advance(3_000)
    const asked = master.methods.length
    expect(asked).toBeGreaterThanOrEqual(9)
    expect(asked).toBeLessThanOrEqual(12)
    expect((await clock.outcome(cluster.send('Orders'))).response.status?.code).toBe(Code.OK)
    cluster.says('broker-a', { serving: [10, 'master'], writable: 'master' })
    const { code, atMs } = await clock.outcome(poll)
    expect([code, atMs < 3_050]).toEqual([Code.OK, true])
  })
})

test('nothing is passed to a holder that is retired, and nothing it still says counts (rule 4.2)', async () => {
  const { cluster, clock, master, slave } = relayed()
  await clock.outcome(cluster.send('Orders'))
  master.answered = () => {
    master.answered = undefined
    cluster.says('broker-a', { retired: 10, writable: 'master' })
  }
  const poll = cluster.receive('Orders')
  await clock.advance(1_000)
  expect(master.methods.filter((method) => method === 'ReceiveMessage')).toHaveLength(1)
  cluster.says('broker-a', { serving: [11, 'slave'], writable: 'master' })
  await clock.advance(100)
  expect(slave.api.polls).toBe(1)
  master.lose()
  slave.api.endPolls()
  expect((await clock.outcome(poll)).messages).toEqual([])
})
