import { silentLogger, silentMeter } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { MessageStore, type Arrival, type MessageToAppend, type StoreOptions } from './index.ts'

/** A machine with a store on its disk. */
class Bench {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly disk: SimulatedFiles
  readonly options: StoreOptions
  #boot = 1

  constructor(options: Partial<StoreOptions> = {}, seed = 1) {
    this.random = new SeededRandom(seed)
    this.disk = new SimulatedFiles({ clock: this.clock, random: this.random.fork() })
    this.options = {
      root: '/data/store',
      storeHost: { ip: '127.0.0.1', port: 10911 },
      bootId: 'boot-1',
      segmentBytes: 4096,
      consumeQueueFileBytes: 100,
      preZeroBytes: 1024,
      maxMessageBytes: 1024,
      ...options,
    }
  }

  open(options: Partial<StoreOptions> = {}): Promise<MessageStore> {
    const ports = {
      files: this.disk.mount(),
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      meter: silentMeter,
    }
    const opening = MessageStore.open({ ...this.options, bootId: `boot-${this.#boot}`, ...options }, ports)
    return this.clock.outcome(opening)
  }

  /** Opened as a master does it. */
  async openMaster(options: Partial<StoreOptions> = {}): Promise<MessageStore> {
    const store = await this.open(options)
    if (store.lineage === undefined) await this.clock.outcome(store.createLineage())
    await this.clock.outcome(store.openEpoch())
    return store
  }

  cutPower(): void {
    this.disk.crash()
    this.#boot += 1
  }

  kill(): void {
    this.disk.kill()
  }
}

function message(body: string, topic = 'orders', queueId = 0): MessageToAppend {
  return {
    topic,
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: encodeProperties([['TAGS', 'TagA']]),
  }
}

function bodies(store: MessageStore, topic = 'orders', queueId = 0): string[] {
  const queue = store.queue(topic, queueId)
  const found: string[] = []
  for (let at = queue?.minOffset ?? 0; at < (queue?.maxOffset ?? 0); at += 1) {
    const unit = queue?.unit(at)
    found.push(unit === undefined ? '-' : store.record(unit.offset, unit.size).body.toString())
  }
  return found
}

describe('a message store', () => {
  test('gives what was appended back by queue offset, across segments and restarts', async () => {
    const bench = new Bench()
    const store = await bench.openMaster()
    const arrivals: Arrival[] = []
    store.onDispatched((arrival) => arrivals.push(arrival))
    const sent: string[] = []
    for (let n = 0; n < 60; n += 1) {
      sent.push(`body ${n} ${'x'.repeat(n * 7)}`)
      expect(store.append(message(sent[n] ?? '')).queueOffset).toBe(n)
    }
    await bench.clock.outcome(store.flush())
    expect(store.flushed.at).toBe(store.end)
    await bench.clock.outcome(store.dispatched.reached(store.end))
    expect(bodies(store)).toEqual(sent)
    expect(arrivals.map((arrival) => arrival.queueOffset)).toEqual(sent.map((_, index) => index))
    expect(arrivals.filter((arrival) => arrival.batchEnd)).toHaveLength(1)
    await bench.clock.outcome(store.close())

    const again = await bench.openMaster()
    expect(again.recovery).toMatchObject({
      fresh: false,
      cleanStop: true,
      lossPossible: false,
      truncatedBytes: 0,
    })
    expect(bodies(again)).toEqual(sent)
    expect(again.append(message('next')).queueOffset).toBe(60)
    bench.kill()

    const third = await bench.openMaster()
    expect(third.recovery).toMatchObject({ cleanStop: false, sameBoot: true, lossPossible: false })
    expect(bodies(third)).toEqual([...sent, 'next'])
    expect(third.lineage?.epochs.map((epoch) => epoch.epoch)).toEqual([1, 2, 3])
  })
})
