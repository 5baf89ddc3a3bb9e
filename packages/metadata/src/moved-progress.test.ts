import { describe, expect, test } from 'vitest'
import { DELAY_GROUP, TIMER_QUEUE, TIMER_TOPIC, type MetadataStore } from './index.ts'
import { World, acked, delivery, key, stamp } from './world.test-data.ts'

const served = { group: 'G', topic: TIMER_TOPIC, queueId: TIMER_QUEUE } as const
const place = { topic: 'Orders', queueId: 0, queueOffset: 7, stamp: stamp(70) }

/** G has acknowledged scheduled record 0, and has 1 since the second attempt; H has 0. */
function fill(store: MetadataStore): void {
  store.commit({ kind: 'ack', ...served, records: [acked(0)] })
  store.commit({
    kind: 'lease',
    ...served,
    servingEpoch: 4,
    deliveries: [delivery(1), delivery(1, 2, 2_000)],
  })
  store.commit({ kind: 'lease', ...served, group: 'H', servingEpoch: 4, deliveries: [delivery(0)] })
}

describe('rule 5.6: what groups did with a scheduled record counts for the one that was put', () => {
  test('acknowledgement and lease, with the time that is left of it; nothing else is known of the scheduled one then', async () => {
    const world = new World()
    const store = await world.store()
    fill(store)
    await world.clock.advance(3_000)
    expect(store.moveServed(0, place)).toEqual(['G', 'H'])
    expect(store.moveServed(1, { ...place, queueOffset: 8 })).toEqual(['G'])
    expect(store.progress.queue('G', 'Orders', 0).isAcked(7)).toBe(true)
    const lease = store.progress.queue('H', 'Orders', 0).lease(7)
    expect(lease).toMatchObject({ stamp: place.stamp, attempt: 1, attempts: 1, servingEpoch: 4 })
    expect(lease?.invisibleUntil).toBe(world.clock.monotonic() + 7_000)
    expect(store.progress.queue('G', 'Orders', 0).lease(8)).toMatchObject({ attempt: 2, attempts: 2 })
    for (const queue of store.delay.served()) expect([...queue.known(0, 10)]).toEqual([])
    expect(store.moveServed(0, place)).toEqual([])
  })

  test('and attempts that only another broker had made', async () => {
    const store = await new World().store()
    const lease = { ...delivery(0, 1), servingEpoch: 9, attempts: 5 }
    const state = { generation: { servingEpoch: 0, counter: 0 }, voidFrom: Number.MAX_SAFE_INTEGER }
    store.merge({
      progress: [{ kind: 'progress', ...served, ...state, acked: [], marks: [], leases: [lease] }],
    })
    store.moveServed(0, place)
    expect(store.progress.queue('G', 'Orders', 0).lease(7)).toMatchObject({
      attempt: 1,
      attempts: 5,
      servingEpoch: 9,
    })
  })

  test('but not over what is newer there', async () => {
    const store = await new World().store()
    fill(store)
    store.commit({ kind: 'lease', ...key, group: 'H', servingEpoch: 5, deliveries: [delivery(7, 1, 9_000)] })
    store.moveServed(0, place)
    expect(store.progress.queue('H', 'Orders', 0).lease(7)).toMatchObject({ servingEpoch: 5 })
  })

  test('is forgotten by one broker alone: what it hands on are acknowledgements and leases', async () => {
    const world = new World()
    const [store, follower] = [await world.store(), await world.store()]
    fill(store)
    follower.applyRemote(store.changesSince(undefined))
    store.moveServed(0, place)
    follower.applyRemote(store.changesSince(follower.followed))
    expect(follower.progress.queue('G', 'Orders', 0).isAcked(7)).toBe(true)
    expect([...follower.progress.queue('G', TIMER_TOPIC, 0).known(0, 10)]).toEqual([0, 1])
    follower.commit({ kind: 'delay', done: [acked(0)] })
    expect([...follower.delay.unmoved(0, 10)]).toEqual([0])
    follower.merge({ progress: [{ kind: 'moved', from: 0, to: 10 }] })
    expect([...follower.delay.unmoved(0, 10)]).toEqual([0])
  })

  test('survives the process', async () => {
    const world = new World()
    const store = await world.process()
    fill(store)
    store.moveServed(0, place)
    await world.clock.outcome(store.close())
    const again = await world.process()
    expect(again.progress.queue('G', 'Orders', 0).isAcked(7)).toBe(true)
    expect([...again.progress.queue('G', TIMER_TOPIC, 0).known(0, 10)]).toEqual([1])
  })

  test('however full the journal is: what was handed out long ago still moves', async () => {
    const world = new World()
    const store = await world.process({ journal: { limitBytes: 1_500, compactBytes: 1_000_000 } })
    fill(store)
    while (!store.journalFull) store.commit({ kind: 'ack', ...key, records: [acked(0)] })
    const lease = { kind: 'lease', ...key, servingEpoch: 4, deliveries: [delivery(3)] } as const
    expect(() => store.commit(lease)).toThrow(expect.objectContaining({ code: 'SYSTEM_BUSY' }))
    store.moveServed(1, { ...place, queueOffset: 8 })
    expect(store.progress.queue('G', 'Orders', 0).lease(8)).toMatchObject({ attempt: 2 })
  })

  test('is no consumer progress of Apache', async () => {
    const world = new World()
    const store = await world.process()
    fill(store)
    store.commit({ kind: 'ack', ...key, records: [acked(0)] })
    await world.clock.outcome(store.close())
    const text = world.text('/data/config/consumerOffset.json')
    expect(text).toContain('Orders@G')
    expect(text).not.toContain(TIMER_TOPIC)
    expect(text).not.toContain(DELAY_GROUP)
  })
})
