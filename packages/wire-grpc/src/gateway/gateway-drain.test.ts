import { rocketmq } from '@tandemmq/rpc'
import { expect, test } from 'vitest'
import { FakeCluster } from './cluster.test-support.ts'

const { Code } = rocketmq

test('when the gateway drains, polls that wait end with no message, and a send under way is answered', async () => {
  const cluster = new FakeCluster(['Orders'])
  const { clock, gateway } = cluster
  const master = cluster.add('master', 'broker-a')
  cluster.says('broker-a', { serving: [10, 'master'], writable: 'master' })
  const poll = cluster.receive('Orders')
  await clock.advance(3_000)
  expect(master.api.polls).toBe(1)
  const send = cluster.send('Orders')
  gateway.drain()
  const { code, messages, atMs } = await clock.outcome(poll)
  expect(code).toBe(Code.MESSAGE_NOT_FOUND)
  expect(messages).toEqual([])
  expect(atMs).toBeLessThan(3_100)
  expect((await clock.outcome(send)).response.status?.code).toBe(Code.OK)
  expect(master.api.polls).toBe(0)

  const late = await clock.outcome(cluster.receive('Orders'))
  expect(late.code).toBe(Code.MESSAGE_NOT_FOUND)
  expect(late.atMs).toBeLessThan(3_200)
})
