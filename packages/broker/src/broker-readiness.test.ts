import { expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'

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
