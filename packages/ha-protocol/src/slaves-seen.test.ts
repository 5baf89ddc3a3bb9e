import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { Pair } from './testing/pair.ts'
import { WriteTimes } from './write-times.ts'

test('both sides say where a slave is, how far behind in bytes and time, and how long its reports take', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const log = pair.emptyLog()
  const slave = pair.follow(log, { dispatched: () => log.end })
  pair.masterLog.write(pair.random.bytes(1_000))
  await pair.clock.outcome(master.waitFor(1_000))
  master.setConfirmed(1_000)
  await pair.clock.advance(2_500)
  expect(master.slaves()).toMatchObject([
    {
      identity: 'slave-1',
      state: 'in sync',
      sent: 1_000,
      received: 1_000,
      flushed: log.flushed,
      dispatched: 1_000,
      lagBytes: 0,
      lagMs: 0,
      connects: 1,
      refusals: new Map(),
    },
  ])
  expect(slave.following()).toMatchObject({
    masterIdentity: 'master',
    masterAddress: 'm:10912',
    state: 'streaming',
    received: 1_000,
    dispatched: 1_000,
    confirmed: 1_000,
    masterEnd: 1_000,
    lagBytes: 0,
    lagMs: 0,
    connects: 1,
  })

  // What is written while nothing arrives is the lag, and its age is that of the first byte of it.
  pair.net.delay('m', 's', { min: 400, max: 400 })
  pair.masterLog.write(pair.random.bytes(300))
  await pair.clock.advance(200)
  pair.masterLog.write(pair.random.bytes(50))
  await pair.clock.advance(150)
  expect(master.slaves()).toMatchObject([{ lagBytes: 350, sent: 1_350, received: 1_000 }])
  expect(master.slaves()[0]?.lagMs).toBeCloseTo(350, 0)
  await pair.clock.advance(1_500)
  const [seen] = master.slaves()
  expect(seen).toMatchObject({ lagBytes: 0, lagMs: 0 })
  expect(seen?.ackLatency.maxMs).toBeGreaterThanOrEqual(800)
  expect(seen?.ackLatency.p50Ms).toBeLessThanOrEqual(1_000)
  expect(seen?.ackLatency.buckets.reduce((sum, count) => sum + count, 0)).toBe(seen?.ackLatency.count)
  await master.close()
})

test('a slave that is gone stays in view, with what it lacks; its return is counted', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const log = pair.emptyLog()
  const slave = pair.follow(log)
  pair.masterLog.write(pair.random.bytes(500))
  await pair.clock.outcome(master.waitFor(500))
  slave.close()
  await pair.clock.runUntil(() => master.replicas().length === 0)
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.advance(700)
  expect(master.slaves()).toMatchObject([{ state: 'away', received: 500, lagBytes: 100, connects: 1 }])
  expect(master.slaves()[0]?.lagMs).toBeCloseTo(700, 0)
  pair.follow(log)
  await pair.clock.outcome(master.waitFor(600))
  expect(master.slaves()).toMatchObject([{ state: 'in sync', connects: 2, lagBytes: 0 }])
  await master.close()
})

test('after a reconnect a slave says again what it has flushed and dispatched, though nothing has changed since', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const log = pair.emptyLog()
  pair.follow(log, { dispatched: () => log.end })
  pair.masterLog.write(pair.random.bytes(500))
  await pair.clock.outcome(master.waitFor(500))
  await log.flush()
  await pair.clock.advance(3_000)
  const held = { flushed: 500, dispatched: 500 }
  expect(master.slaves()).toMatchObject([{ ...held, connects: 1 }])
  pair.net.reset('m', 's')
  await pair.clock.runUntil(() => master.slaves()[0]?.connects === 2)
  await pair.clock.advance(10)
  expect(master.slaves()).toMatchObject([{ ...held, state: 'in sync' }])
  await master.close()
})

test('a slave that is turned away is named with the reason, on both sides; a stranger is not', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const right = pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => right.masterConnected)
  const second = pair.follow(pair.emptyLog(), { instanceId: 's-2' }, 't')
  const stranger = pair.follow(pair.emptyLog(), { identity: 'x', secret: Buffer.from('another') }, 'u')
  await pair.clock.advance(3_000)
  expect(second.following().troubles.get('identity-in-use')).toBeGreaterThan(0)
  expect(stranger.following().connects).toBe(0)
  expect(master.slaves().map(({ identity }) => identity)).toEqual(['slave-1'])
  expect(master.slaves()[0]?.refusals.get('identity-in-use')).toBeGreaterThan(0)
  expect(second.following().problem).toContain('another process is connected as "slave-1" from s:')
  await master.close()
})

test('the age of what is lacking stays right when samples are thinned out', () => {
  const times = new WriteTimes(0, 0)
  const random = new SeededRandom(7)
  let [end, now] = [0, 0]
  const truth: { readonly from: number; readonly at: number }[] = []
  for (let append = 0; append < 20_000; append += 1) {
    now += 10 + random.below(20)
    times.wrote(end, now)
    truth.push({ from: end, at: now })
    end += 100
  }
  expect(times.lagMs(end, end, now)).toBe(0)
  expect(times.lagMs(end - 1, end, now)).toBe(0)
  for (const { from, at } of truth.slice(0, -1)) {
    // Never less than it is, and not much more.
    const told = times.lagMs(from + 50, end, now)
    expect(told).toBeGreaterThanOrEqual(now - at)
    expect(told - (now - at)).toBeLessThanOrEqual(30 + (now - at) / 16)
  }
  // The log was cut and goes on differently.
  times.wrote(1_000, now + 500)
  expect(times.lagMs(1_000, 1_100, now + 600)).toBe(100)
})
