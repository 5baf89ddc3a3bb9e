import type { RecordStamp } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { groupConfig, topicConfig, type Change, type MetadataStore } from './index.ts'
import { World, acked, delivery, key } from './world.test-data.ts'

const queueOf = (store: MetadataStore) => store.progress.queue('G', 'Orders', 0)

test('a lease hides a message until it expires, and the attempt is counted on', async () => {
  const world = new World()
  const { clock } = world
  const broker = await world.store()
  broker.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0), delivery(1)] })
  const queue = queueOf(broker)
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(2)
  expect(queue.candidate(0, 2, clock.monotonic())).toBeUndefined()
  expect(queue.nextVisibleAt(clock.monotonic())).toBe(10_000)
  await clock.advance(10_000)
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(0)
  expect(queue.lease(0)?.attempts).toBe(1)
  broker.commit({ kind: 'visibility', ...key, servingEpoch: 1, delivery: delivery(0, 1, 11_000, 0) })
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(0)
  broker.commit({ kind: 'visibility', ...key, servingEpoch: 1, delivery: delivery(0, 1, 11_000, 500) })
  expect(queue.candidate(0, 3, clock.monotonic())).toBe(1)
  broker.commit({ kind: 'ack', ...key, records: [acked(1)] })
  expect(queue.floor).toBe(0)
  broker.commit({ kind: 'ack', ...key, records: [acked(0)] })
  expect([queue.floor, queue.inFlight]).toEqual([2, 0])
})

test('a follower converges by changes, and by a snapshot where the ring has forgotten', async () => {
  const world = new World()
  const [master, slave] = [await world.store({ feedSize: 16 }), await world.store()]
  slave.applyRemote(master.changesSince(slave.followed))
  master.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders', type: 'FIFO' }) })
  expect(slave.applyRemote(master.changesSince(slave.followed)).kinds.topics).toEqual({
    status: 'ok',
    applied: 1,
  })
  master.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0)] })
  await world.clock.advance(4_000)
  const answer = master.changesSince(slave.followed)
  expect(answer.snapshot).toBeUndefined()
  slave.applyRemote(answer)
  // Invisibility travels as the time that is left of it.
  expect(queueOf(slave).lease(0)?.invisibleUntil).toBe(10_000)
  for (let offset = 0; offset < 40; offset++) master.commit({ kind: 'ack', ...key, records: [acked(offset)] })
  const late = master.changesSince(slave.followed)
  expect(late.snapshot).toBeDefined()
  slave.applyRemote(late)
  expect(queueOf(slave).floor).toBe(40)
  expect(slave.snapshot()).toEqual(master.snapshot())
})

test('answers that overlap are applied once, answers with a gap not at all', async () => {
  const world = new World()
  const [master, slave] = [await world.store(), await world.store()]
  slave.applyRemote(master.changesSince(undefined))
  const start = slave.followed
  master.commit({ kind: 'ack', ...key, records: [acked(0)] })
  const first = master.changesSince(start)
  const middle = first.cursor
  master.commit({ kind: 'ack', ...key, records: [acked(1)] })
  const both = master.changesSince(start)
  master.commit({ kind: 'ack', ...key, records: [acked(2)] })
  const last = master.changesSince(both.cursor)
  slave.applyRemote(first)
  expect(slave.followed).toEqual(middle)
  expect(slave.applyRemote(last)).toMatchObject({
    outcome: 'gap',
    kinds: { progress: { status: 'missing' } },
  })
  expect([slave.followed, queueOf(slave).floor]).toEqual([undefined, 1])
  slave.applyRemote(master.changesSince(slave.followed))
  expect(slave.applyRemote({ ...both })).toMatchObject({ outcome: 'gap' })
  slave.applyRemote(master.changesSince(undefined))
  expect(slave.applyRemote(master.changesSince(last.cursor)).outcome).toBe('applied')
  expect(queueOf(slave).floor).toBe(3)
})

test('an empty answer deletes nothing, a partial one says what it lacks, an explicit deletion deletes', async () => {
  const world = new World()
  const [master, slave] = [await world.store(), await world.store()]
  master.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders' }) })
  master.commit({ kind: 'group-put', group: groupConfig({ name: 'G' }) })
  master.commit({ kind: 'ack', ...key, records: [acked(0)] })
  slave.applyRemote(master.changesSince(undefined))
  const before = slave.snapshot()
  const cursor = { processEpoch: 9e15, counter: 0 }
  slave.applyRemote({ cursor, snapshot: { topics: [], groups: [], progress: [], delay: [] }, changes: [] })
  slave.applyRemote({ cursor, snapshot: {}, changes: [] })
  const partial = slave.applyRemote({
    cursor,
    snapshot: { groups: [] },
    changes: [],
    problems: { progress: 'disk on fire' },
  })
  expect(partial.kinds).toEqual({
    topics: { status: 'missing', applied: 0 },
    groups: { status: 'ok', applied: 0 },
    progress: { status: 'refused', applied: 0, why: 'disk on fire' },
    delay: { status: 'missing', applied: 0 },
  })
  expect(slave.snapshot()).toEqual(before)
  master.commit({ kind: 'topic-delete', name: 'Orders' })
  slave.applyRemote(master.changesSince(undefined))
  expect(slave.topics.has('Orders')).toBe(false)
  expect(queueOf(slave).floor).toBe(0)
  // An older copy cannot bring it back, nor its progress.
  expect(slave.merge(before).kinds).toMatchObject({ topics: { applied: 0 }, progress: { applied: 0 } })
  expect([slave.topics.has('Orders'), queueOf(slave).floor]).toEqual([false, 0])
  master.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders' }) })
  slave.applyRemote(master.changesSince(undefined))
  expect(slave.topics.has('Orders')).toBe(true)
})

/** A log that ends somewhere; epoch 1 was cut at physical offset 500, where epoch 2 began. */
class Log {
  end = 0

  knowsStamp({ logEpoch, physicalOffset }: RecordStamp): boolean | 'later' {
    const isOurs = logEpoch === 1 ? physicalOffset < 500 : logEpoch === 2 && physicalOffset >= 500
    if (!isOurs) return false
    return physicalOffset < this.end ? true : 'later'
  }
}

test('progress waits for the bytes it is about, and what contradicts the lineage is dropped and counted', async () => {
  const world = new World()
  const log = new Log()
  log.end = 300
  const slave = await world.store({}, log)
  const changes: Change[] = [
    { kind: 'ack', ...key, records: [acked(0, 1), acked(1, 1), acked(4, 1), acked(6, 1), acked(7, 2)] },
    { kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(2), delivery(3), delivery(9)] },
  ]
  const result = slave.applyRemote({
    cursor: { processEpoch: 1, counter: 0 },
    snapshot: { progress: changes },
    changes: [],
  })
  expect(result).toMatchObject({ dropped: 2, pending: 3 })
  const queue = queueOf(slave)
  expect([queue.floor, queue.isAcked(4), queue.isAcked(6), queue.lease(2)?.attempt, queue.lease(3)]).toEqual([
    2,
    false,
    false,
    1,
    undefined,
  ])
  // Whoever is told may hold these bytes: our journal can say more than our log after a power cut.
  const other = await world.store()
  other.merge(slave.snapshot())
  expect([4, 5].map((offset) => queueOf(other).isAcked(offset))).toEqual([true, false])
  log.end = 450
  slave.logAdvanced()
  expect([queue.isAcked(4), queue.lease(3)?.attempt, slave.pending]).toEqual([true, 1, 1])
  log.end = 800
  slave.logAdvanced()
  expect([queue.isAcked(7), queue.isAcked(6), queue.lease(9), slave.pending]).toEqual([
    true,
    false,
    undefined,
    0,
  ])
})

test('what an internal write settles counts only where the log holds that write', async () => {
  const world = new World()
  const log = new Log()
  log.end = 200
  const slave = await world.store({}, log)
  const after = { logEpoch: 1, physicalOffset: 400 }
  const changes: Change[] = [{ kind: 'ack', ...key, records: [{ ...acked(0), after }] }]
  slave.merge({ progress: changes })
  expect(queueOf(slave).floor).toBe(0)
  log.end = 401
  slave.logAdvanced()
  expect(queueOf(slave).floor).toBe(1)
})

test('a state counts up to the highest mark the log knows', async () => {
  const world = new World()
  const other = await world.store()
  other.commit({ kind: 'ack', ...key, records: [acked(0, 1), acked(1, 1), acked(3, 1)] })
  other.commit({ kind: 'ack', ...key, records: [acked(6, 2)] })
  const log = new Log()
  log.end = 350
  const slave = await world.store({}, log)
  expect(slave.merge(other.snapshot())).toMatchObject({ dropped: 0, pending: expect.any(Number) })
  const queue = queueOf(slave)
  expect([queue.isAcked(3), queue.isAcked(6)]).toEqual([true, false])
  log.end = 601
  slave.logAdvanced()
  expect(queue.isAcked(6)).toBe(true)
  // A broker whose log went another way from the third record on.
  const stranger = await world.store({}, { knowsStamp: ({ physicalOffset }) => physicalOffset < 300 })
  expect(stranger.merge(other.snapshot()).dropped).toBe(2)
  expect(queueOf(stranger).floor).toBe(0)
})

test('pending entries are bounded; what had no room is asked for again', async () => {
  const world = new World()
  const log = new Log()
  const master = await world.store()
  const slave = await world.store({ pendingMax: 2 }, log)
  slave.applyRemote(master.changesSince(undefined))
  for (const offset of [0, 1, 2]) master.commit({ kind: 'ack', ...key, records: [acked(offset)] })
  slave.applyRemote(master.changesSince(slave.followed))
  expect(slave.pending).toBe(2)
  log.end = 500
  slave.logAdvanced()
  expect([queueOf(slave).floor, slave.followed]).toEqual([2, undefined])
  slave.applyRemote(master.changesSince(slave.followed))
  expect([queueOf(slave).floor, slave.followed]).toEqual([3, master.cursor])
})

test('the disk is full when the bytes come that progress waited for: nothing is lost, and the log is not held up', async () => {
  const world = new World()
  const log = new Log()
  const slave = await world.process({}, log)
  slave.applyRemote({
    cursor: { processEpoch: 1, counter: 0 },
    snapshot: { progress: [{ kind: 'ack', ...key, records: [acked(0), acked(1)] }] },
    changes: [],
  })
  expect(slave.pending).toBe(2)
  log.end = 400
  world.disk.fail({ call: 'write', code: 'ENOSPC', matching: /journal/ })
  slave.logAdvanced()
  expect([queueOf(slave).floor, slave.pending]).toEqual([0, 2])
  slave.logAdvanced()
  expect(slave.pending).toBe(2)
  await world.clock.advance(1_000)
  slave.logAdvanced()
  expect([queueOf(slave).floor, slave.pending]).toEqual([2, 0])
})

test('hand-back: the master takes all the slave served, and its own later reset stands', async () => {
  const world = new World()
  const [master, slave] = [await world.store(), await world.store()]
  master.commit({ kind: 'ack', ...key, records: [acked(0), acked(2)] })
  master.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(3), delivery(4)] })
  slave.applyRemote(master.changesSince(undefined))
  master.commit({ kind: 'ack', ...key, records: [acked(9)] })
  slave.commit({ kind: 'lease', ...key, servingEpoch: 2, deliveries: [delivery(3, 2)] })
  slave.commit({ kind: 'ack', ...key, records: [acked(1), acked(4)] })
  const result = master.merge(slave.snapshot())
  expect(result.kinds.progress).toEqual({ status: 'ok', applied: 1 })
  const queue = queueOf(master)
  expect([queue.floor, queue.isAcked(4), queue.isAcked(9), queue.lease(3)?.servingEpoch]).toEqual([
    3,
    true,
    true,
    2,
  ])
  master.commit({ kind: 'reset', ...key, to: 1, generation: { servingEpoch: 3, counter: 1 } })
  expect(master.merge(slave.snapshot()).kinds.progress.applied).toBe(0)
  expect([queue.floor, queue.lease(3)]).toEqual([1, undefined])
})

test('opening an epoch cuts only what lies past the queue ends', async () => {
  const world = new World()
  const store = await world.store()
  store.commit({ kind: 'ack', ...key, records: [acked(0), acked(1)] })
  store.commit({ kind: 'ack', ...key, queueId: 1, records: [acked(0), acked(1), acked(2)] })
  store.commit({ kind: 'delay', done: [acked(0), acked(1)] })
  expect(store.cutTo(() => 2)).toBe(1)
  expect(queueOf(store).generation.servingEpoch).toBe(0)
  expect(store.progress.queue('G', 'Orders', 1).floor).toBe(2)
  expect(store.cutTo(() => 1)).toBe(3)
  expect(store.delay.floor).toBe(1)
})

test('names are checked wherever they enter', async () => {
  const store = await new World().store()
  const bad = expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' })
  for (const name of ['', '../x', 'a b', 'é', 'x'.repeat(128), 'a\u0000']) {
    expect(() => topicConfig({ name })).toThrow(bad)
    expect(() =>
      store.commit({ kind: 'ack', group: 'G', topic: name, queueId: 0, records: [acked(0)] }),
    ).toThrow(bad)
    expect(() =>
      store.commit({ kind: 'ack', group: name, topic: 'T', queueId: 0, records: [acked(0)] }),
    ).toThrow(bad)
  }
  expect(() => groupConfig({ name: 'x'.repeat(121) })).toThrow(bad)
  expect(topicConfig({ name: `%RETRY%${'x'.repeat(248)}` }).name).toHaveLength(256 - 1)
  expect([...store.progress.all()]).toEqual([])
})

test('changes echoed between two brokers come to rest', async () => {
  const world = new World()
  const [a, b] = [await world.store(), await world.store()]
  b.applyRemote(a.changesSince(undefined))
  a.applyRemote(b.changesSince(undefined))
  a.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0)] })
  a.commit({ kind: 'visibility', ...key, servingEpoch: 1, delivery: delivery(0, 1, 2_000, 99) })
  b.commit({ kind: 'ack', ...key, records: [acked(5)] })
  for (let round = 0; round < 3; round++) {
    b.applyRemote(a.changesSince(b.followed))
    a.applyRemote(b.changesSince(a.followed))
  }
  const rest = [a.cursor, b.cursor]
  b.applyRemote(a.changesSince(b.followed))
  a.applyRemote(b.changesSince(a.followed))
  expect([a.cursor, b.cursor]).toEqual(rest)
  expect(a.snapshot()).toEqual(b.snapshot())
})
