import { silentLogger, silentMeter } from '@tandemmq/base'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { MetadataStore, topicConfig, type LogKnowledge } from './index.ts'

const key = { group: 'G', topic: 'Orders', queueId: 0 }
const stamp = (offset: number, logEpoch = 1) => ({ logEpoch, physicalOffset: offset * 100 })
const delivery = (queueOffset: number, attempt = 1) => ({
  queueOffset,
  stamp: stamp(queueOffset),
  attempt,
  deliveredAt: 1_000,
  invisibleMs: 10_000,
})
const everything: LogKnowledge = { knowsStamp: () => true }

async function store(clock: SimulatedClock, log = everything, feedSize = 16): Promise<MetadataStore> {
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  return MetadataStore.open({ feedSize }, { files, clock, log, logger: silentLogger, meter: silentMeter })
}

test('a lease hides a message until it expires, and the attempt is counted on', async () => {
  const clock = new SimulatedClock()
  const broker = await store(clock)
  broker.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0), delivery(1)] })
  const queue = broker.progress.queue('G', 'Orders', 0)
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(2)
  expect(queue.candidate(0, 2, clock.monotonic())).toBeUndefined()
  expect(queue.nextVisibleAt(clock.monotonic())).toBe(10_000)
  await clock.advance(10_000)
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(0)
  expect(queue.candidate(1, 3, clock.monotonic())).toBe(1)
  expect(queue.lease(0)?.attempts).toBe(1)
  broker.commit({ kind: 'ack', ...key, records: [{ queueOffset: 1, stamp: stamp(1) }] })
  expect(queue.floor).toBe(0)
  broker.commit({ kind: 'ack', ...key, records: [{ queueOffset: 0, stamp: stamp(0) }] })
  expect(queue.floor).toBe(2)
  expect(queue.inFlight).toBe(0)
})

test('a follower converges by changes, and by a snapshot where the ring has forgotten', async () => {
  const clock = new SimulatedClock()
  const [master, slave] = [await store(clock), await store(clock)]
  master.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders', type: 'FIFO' }) })
  expect(slave.applyRemote(master.changesSince(slave.followed)).kinds.topics).toEqual({
    status: 'ok',
    applied: 1,
  })
  master.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0)] })
  await clock.advance(4_000)
  const answer = master.changesSince(slave.followed)
  expect(answer.snapshot).toBeUndefined()
  slave.applyRemote(answer)
  expect(slave.topics.get('Orders')?.type).toBe('FIFO')
  // Invisibility travels as the time that is left of it.
  expect(slave.progress.queue('G', 'Orders', 0).lease(0)?.invisibleUntil).toBe(10_000)
  for (let offset = 0; offset < 40; offset++) {
    master.commit({ kind: 'ack', ...key, records: [{ queueOffset: offset, stamp: stamp(offset) }] })
  }
  const late = master.changesSince(slave.followed)
  expect(late.snapshot).toBeDefined()
  slave.applyRemote(late)
  expect(slave.progress.queue('G', 'Orders', 0).floor).toBe(40)
})
