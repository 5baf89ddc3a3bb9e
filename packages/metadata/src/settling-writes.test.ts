import type { RecordStamp } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import {
  DELAY_GROUP,
  TIMER_TOPIC,
  encodeChange,
  type HeldPart,
  type LogKnowledge,
  type MetadataStore,
} from './index.ts'
import { ALL_SETTLING_WRITES_MAX } from './settling-budget.ts'
import { SETTLING_WRITES_MAX } from './settling-writes.ts'
import { World, acked, delivery, everything, key } from './world.test-data.ts'

/** Records of 100 bytes, all of epoch 1 as far as they are here. */
class GrowingLog implements LogKnowledge {
  end: number
  /** Where epoch 2 begins. */
  epoch = Infinity

  constructor(end: number) {
    this.end = end
  }

  knowsStamp({ logEpoch, physicalOffset }: RecordStamp): boolean | 'later' {
    const isSame = (physicalOffset < this.epoch ? 1 : 2) === logEpoch
    return isSame && physicalOffset >= this.end ? 'later' : isSame
  }

  held(): HeldPart {
    return { end: 1_000_000, mayGrow: false }
  }
}

const at = (physicalOffset: number) => ({ logEpoch: 1, physicalOffset })

/** The message of that queue offset, which a write that lies at `write` has settled. */
function settle(store: MetadataStore, queueOffset: number, write: number): void {
  store.commit({ kind: 'ack', ...key, records: [{ ...acked(queueOffset), after: at(write) }] })
}

const ackedIn = (store: MetadataStore) => {
  const { acked: ranges } = store.progress.queue('G', 'Orders', 0).state(0)
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index))
}

/** Messages 0 to 3 were settled: 0 by its consumer, 1 and 2 by the writes at 1,000 and 2,000, 3 by the one at 1,500. */
async function settled(world: World, log: LogKnowledge = everything): Promise<MetadataStore> {
  const store = await world.store({}, log)
  store.commit({ kind: 'ack', ...key, records: [acked(0)] })
  for (const [queueOffset, write] of [
    [1, 1_000],
    [2, 2_000],
    [3, 1_500],
  ] as const) {
    settle(store, queueOffset, write)
  }
  return store
}

describe('what an internal write has settled counts only with that write (rule 5.5), also in a snapshot', () => {
  test('it waits for the write, and counts when that has come', async () => {
    const world = new World()
    const log = new GrowingLog(1_400)
    const replica = await world.store({}, log)
    replica.applyRemote((await settled(world)).changesSince(undefined))
    expect([ackedIn(replica), replica.pending > 0]).toEqual([[0, 1], true])
    log.end = 2_001
    replica.logAdvanced()
    expect([ackedIn(replica), replica.pending]).toEqual([[0, 1, 2, 3], 0])
  })

  test('and never where the lineage says something else there', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    log.epoch = 1_200
    const replica = await world.store({}, log)
    expect(replica.merge((await settled(world)).snapshot()).dropped).toBe(2)
    expect([ackedIn(replica), replica.pending]).toEqual([[0, 1], 0])
  })

  test('a log that loses it opens the message again; what a consumer has settled as well stays so', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    const store = await settled(world, log)
    store.commit({ kind: 'ack', ...key, records: [acked(3)] })
    log.epoch = 1_200
    expect(store.lineageChanged()).toBe(1)
    expect(ackedIn(store)).toEqual([0, 1, 3])
    expect(store.lineageChanged()).toBe(0)
    expect(store.snapshot().progress).toMatchObject([{ settling: { writes: [{ queueOffset: 1 }] } }])
  })

  test('the same in the progress of timers', async () => {
    const log = new GrowingLog(5_000)
    const store = await new World().store({}, log)
    store.commit({ kind: 'delay', done: [{ ...acked(0), after: at(1_000) }] })
    store.commit({ kind: 'delay', done: [{ ...acked(1), after: at(3_000) }] })
    log.epoch = 2_000
    store.lineageChanged()
    expect([store.delay.isDone(0), store.delay.isDone(1)]).toEqual([true, false])
  })

  test('a record of which only the beginning had been copied goes when an epoch is opened before it', async () => {
    const log = new GrowingLog(2_050)
    const store = await settled(new World(), log)
    log.end = 2_000
    log.epoch = 2_000
    expect(store.cutTo(() => 100)).toBe(0)
    expect(ackedIn(store)).toEqual([0, 1, 3])
  })

  test('two writes that settle one message: it is settled as long as one of them is there', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    const [one, other] = [await world.store({}, log), await world.store({}, log)]
    settle(one, 1, 3_000)
    settle(other, 1, 1_000)
    one.merge(other.snapshot())
    other.merge(one.snapshot())
    log.epoch = 2_000
    expect([one.lineageChanged(), other.lineageChanged()]).toEqual([0, 0])
  })

  test('what one broker knows to be settled by a consumer is so for the others', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    const [one, other] = [await settled(world, log), await world.store({}, log)]
    other.commit({ kind: 'ack', ...key, records: [acked(2)] })
    one.merge(other.snapshot())
    other.merge(one.snapshot())
    log.epoch = 1_600
    expect([one.lineageChanged(), other.lineageChanged()]).toEqual([0, 0])
    expect([ackedIn(one), ackedIn(other)]).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ])
  })

  test('after a lost write the message is offered and can be settled as before', async () => {
    const log = new GrowingLog(5_000)
    const store = await settled(new World(), log)
    log.epoch = 1_200
    store.lineageChanged()
    const queue = store.progress.queue('G', 'Orders', 0)
    expect(queue.candidate(0, 10, 0)).toBe(2)
    store.commit({ kind: 'lease', ...key, servingEpoch: 9, deliveries: [delivery(2)] })
    const write = { logEpoch: 2, physicalOffset: 1_700 }
    store.commit({ kind: 'ack', ...key, records: [{ ...acked(2), after: write }] })
    expect(store.lineageChanged()).toBe(0)
    expect([queue.isAcked(2), queue.inFlight]).toEqual([true, 0])
  })
})

describe('on disk', () => {
  test('a process that dies before it has written down what it forgets knows it again at the start', async () => {
    for (const isCompacted of [false, true]) {
      const world = new World()
      const log = new GrowingLog(5_000)
      let store = await world.process({}, log)
      settle(store, 1, 1_000)
      settle(store, 2, 2_000)
      await world.clock.outcome(store.close())
      // Each start begins a new journal with a snapshot.
      if (isCompacted) {
        store = await world.process({}, log)
        await world.clock.outcome(store.close())
      }
      log.end = 1_500 // The cut is on disk, the new lineage is not.
      store = await world.process({}, log)
      expect(ackedIn(store)).toEqual([1])
      log.epoch = 1_500
      store.lineageChanged()
      log.end = 5_000
      store.logAdvanced()
      await world.clock.outcome(store.close())
      expect(ackedIn(await world.process({}, log))).toEqual([1])
    }
  })

  test('what was forgotten stays so, though the journal still says that it was settled', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    const store = await world.process({}, log)
    settle(store, 1, 2_000)
    log.epoch = 1_500
    store.lineageChanged()
    await world.clock.outcome(store.close())
    // Even by a log that would know it: an end that was fetched again, for instance.
    expect(ackedIn(await world.process())).toEqual([])
  })

  test('a state that names no writes, as older versions write it, counts as it always did', async () => {
    const world = new World()
    const log = new GrowingLog(5_000)
    const [snapshot] = (await settled(world, log)).snapshot().progress ?? []
    if (snapshot?.kind !== 'progress') throw new Error('there is one queue')
    const { settling, ...older } = snapshot
    log.epoch = 1_200
    const store = await world.store({}, log)
    store.merge({ progress: [older] })
    expect([settling?.writes.length, ackedIn(store)]).toEqual([3, [0, 1, 2, 3]])
  })
})

describe('of more writes than are kept apart', () => {
  const count = SETTLING_WRITES_MAX * 2

  async function many(world: World, log: LogKnowledge = everything): Promise<MetadataStore> {
    const store = await world.store({}, log)
    for (let offset = 0; offset < count; offset += 1) {
      store.commit({ kind: 'delay', done: [{ ...acked(offset), after: at((count + offset) * 100) }] })
    }
    return store
  }

  test('the older ones count where the last of them is, and the state stays small', async () => {
    const world = new World()
    const snapshot = (await many(world)).snapshot()
    const [state] = snapshot.delay ?? []
    if (state?.kind !== 'progress') throw new Error('there is the timer queue')
    const writes = state.settling?.writes.length ?? 0
    expect(writes).toBeGreaterThanOrEqual(SETTLING_WRITES_MAX)
    expect(encodeChange(state).length).toBeLessThan(15 * writes)
    const horizon = state.settling?.horizon?.physicalOffset ?? 0
    expect(horizon).toBe((2 * count - writes - 1) * 100)

    const log = new GrowingLog(horizon)
    const replica = await world.store({}, log)
    replica.merge(snapshot)
    expect(replica.delay.floor).toBe(0)
    log.end = horizon + 500
    replica.logAdvanced()
    expect(replica.delay.floor).toBe(count - writes + 4)
  })

  test('where that one is lost nothing of the queue is believed', async () => {
    const world = new World()
    const log = new GrowingLog(Infinity)
    const store = await many(world, log)
    const snapshot = store.snapshot()
    log.epoch = count * 100 + 50
    store.lineageChanged()
    expect(store.delay.floor).toBe(0)
    const replica = await world.store({}, log)
    expect(replica.merge(snapshot).dropped).toBeGreaterThan(0)
    expect([replica.delay.floor, replica.pending]).toEqual([0, 0])
    expect(store.progress.queue(DELAY_GROUP, TIMER_TOPIC, 0).state(0).settling).toBeUndefined()
  })

  test('nor do many queues together tell more apart, for as long as their dead letters are known', async () => {
    const store = await new World().store()
    const each = SETTLING_WRITES_MAX / 2
    const queues = (2 * ALL_SETTLING_WRITES_MAX) / each
    for (let queueId = 0; queueId < queues; queueId++) {
      const records = Array.from({ length: each }, (_, offset) => {
        return { ...acked(offset), after: at((queueId * each + offset) * 100) }
      })
      store.commit({ kind: 'ack', ...key, queueId, records })
    }
    const settlings = Array.from({ length: queues }, (_, queueId) => {
      const { settling } = store.progress.queue(key.group, key.topic, queueId).state(0)
      return settling ?? { writes: [] }
    })
    const told = settlings.flatMap(({ writes }) => writes).length
    expect(told).toBeLessThanOrEqual(ALL_SETTLING_WRITES_MAX)
    expect(told).toBeGreaterThanOrEqual(ALL_SETTLING_WRITES_MAX / 2)
    for (const [queueId, { writes, horizon }] of settlings.entries()) {
      expect(writes.at(-1)?.queueOffset).toBe(each - 1)
      const before = (queueId * each + each - writes.length - 1) * 100
      expect(horizon?.physicalOffset).toBe(writes.length === each ? undefined : before)
    }
  })
})
