import { silentLogger } from '@tandemmq/base'
import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import {
  MetadataSync,
  answerWatch,
  decodeAnswer,
  encodeAnswer,
  groupConfig,
  topicConfig,
  type Answer,
  type MetadataSource,
  type MetadataStore,
  type MetadataSyncOptions,
} from './index.ts'
import { World, acked, delivery, key } from './world.test-data.ts'

/** A store behind a wire that can be cut. Every answer goes through its bytes. */
class Wire implements MetadataSource {
  isUp = true
  /** Instead of the store's. */
  answer: (() => Promise<Answer>) | undefined
  pulls = 0
  watches = 0
  readonly #store: MetadataStore
  #cut = new AbortController()

  constructor(store: MetadataStore) {
    this.#store = store
  }

  cut(): void {
    this.isUp = false
    this.#cut.abort(new Error('cut'))
    this.#cut = new AbortController()
  }

  pull(...[cursor]: Parameters<MetadataSource['pull']>): Promise<Answer> {
    this.pulls++
    if (this.answer !== undefined) return this.answer()
    if (!this.isUp) return Promise.reject(new Error('unreachable'))
    return Promise.resolve(decodeAnswer(encodeAnswer(this.#store.changesSince(cursor))))
  }

  async watch(...[cursor, onAnswer, signal]: Parameters<MetadataSource['watch']>): Promise<void> {
    this.watches++
    if (!this.isUp) throw new Error('unreachable')
    const both = AbortSignal.any([signal, this.#cut.signal])
    await answerWatch(
      this.#store,
      cursor,
      (answer) => Promise.resolve(onAnswer(decodeAnswer(encodeAnswer(answer)))),
      both,
    )
    throw new Error('ended')
  }

  handBack(): Promise<void> {
    return Promise.resolve()
  }
}

async function pair(options: MetadataSyncOptions = {}) {
  const world = new World()
  const [master, slave] = [await world.store({ feedSize: 64 }), await world.store()]
  const wire = new Wire(master)
  const ports = { clock: world.clock, random: new SeededRandom(3), logger: silentLogger }
  const start = () => MetadataSync.start(options, ports, wire, slave)
  return { world, master, slave, wire, start }
}

function change(master: MetadataStore, round: number): void {
  master.commit({ kind: 'topic-put', topic: topicConfig({ name: `T${round}` }) })
  master.commit({ kind: 'group-put', group: groupConfig({ name: `G${round}` }) })
  master.commit({ kind: 'ack', ...key, records: [acked(round)] })
  master.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(round + 100)] })
  master.commit({ kind: 'delay', done: [acked(round)] })
}

test('with the watch disabled the pull alone converges within 10 s, for all four kinds', async () => {
  const { world, master, slave, wire, start } = await pair({ watch: false })
  change(master, 0)
  const sync = start()
  await world.clock.settle()
  expect(slave.snapshot()).toEqual(master.snapshot())
  for (let round = 1; round < 5; round++) {
    change(master, round)
    await world.clock.advance(10_000)
    expect(slave.snapshot()).toEqual(master.snapshot())
    expect(sync.status).toMatchObject({
      lastSuccessAt: world.clock.now(),
      version: master.cursor,
      kinds: {
        topics: { status: 'ok', applied: 1 },
        groups: { status: 'ok', applied: 1 },
        progress: { status: 'ok', applied: 2 },
        delay: { status: 'ok', applied: 1 },
      },
    })
  }
  expect([wire.watches, wire.pulls]).toEqual([0, 5])
  sync.close()
  expect(world.clock.pending).toBe(0)
})

test('with the watch a change arrives at once, and a cut watch is made again', async () => {
  const { world, master, slave, wire, start } = await pair()
  const sync = start()
  await world.clock.settle()
  change(master, 0)
  await world.clock.settle()
  expect(sync.status.watching).toBe(true)
  expect(slave.snapshot()).toEqual(master.snapshot())
  wire.cut()
  await world.clock.advance(60_000)
  expect(sync.status).toMatchObject({ watching: false, problem: 'unreachable' })
  // Back-off: a minute of absence is a handful of attempts.
  expect(wire.watches).toBeLessThan(30)
  const before = slave.snapshot()
  expect(before.topics).toHaveLength(1)
  for (let round = 1; round < 30; round++) change(master, round)
  wire.isUp = true
  await world.clock.advance(5_100)
  expect(slave.snapshot().topics).toHaveLength(30)
  expect(slave.snapshot()).toEqual(master.snapshot())
  sync.close()
  await world.clock.settle()
  expect(world.clock.pending).toBe(0)
})

test('a broker that is back is asked at once, whatever the pauses after failures; a watch that hangs is made anew', async () => {
  const { world, master, slave, wire, start } = await pair()
  const sync = start()
  await world.clock.settle()
  wire.cut()
  await world.clock.advance(30_000)
  change(master, 1)
  wire.isUp = true
  sync.wake()
  await world.clock.advance(10)
  expect(slave.snapshot()).toEqual(master.snapshot())
  change(master, 2)
  await world.clock.advance(10)
  expect(slave.snapshot()).toEqual(master.snapshot())

  const watches = wire.watches
  sync.wake()
  await world.clock.advance(200)
  expect(wire.watches).toBe(watches + 1)
  change(master, 3)
  await world.clock.advance(10)
  expect(slave.snapshot()).toEqual(master.snapshot())
  sync.close()
})

test('a failing, a silent and an empty source change nothing, and the next attempt comes in time', async () => {
  const { world, master, slave, wire, start } = await pair({ watch: false })
  change(master, 0)
  const sync = start()
  await world.clock.settle()
  const before = slave.snapshot()
  wire.isUp = false
  await world.clock.advance(10_000)
  expect(sync.status.problem).toBe('unreachable')
  wire.isUp = true
  wire.answer = () => new Promise(() => undefined)
  await world.clock.advance(10_000)
  await world.clock.advance(5_000)
  expect(sync.status.problem).toBe('no answer in time')
  wire.answer = () => Promise.resolve({ cursor: { processEpoch: 1, counter: 0 }, snapshot: {}, changes: [] })
  await world.clock.advance(5_000)
  expect(sync.status.kinds.topics).toEqual({ status: 'missing', applied: 0 })
  expect(slave.snapshot().topics).toEqual(before.topics)
  wire.answer = undefined
  change(master, 1)
  await world.clock.advance(10_000)
  expect(slave.snapshot()).toEqual(master.snapshot())
  sync.close()
})

test('a slow watcher is given few answers, in the end a snapshot', async () => {
  const { world, master } = await pair()
  const answers: Answer[] = []
  const releases: (() => void)[] = []
  const stop = new AbortController()
  const send = (answer: Answer): Promise<void> => {
    answers.push(answer)
    return new Promise((resolve) => releases.push(resolve))
  }
  const watching = answerWatch(master, master.cursor, send, stop.signal)
  for (let round = 0; round < 100; round++) {
    change(master, round)
    await world.clock.settle()
  }
  expect(answers).toHaveLength(1)
  releases.shift()?.()
  await world.clock.settle()
  expect(answers).toHaveLength(2)
  expect(answers[1]?.snapshot).toBeDefined()
  stop.abort()
  releases.shift()?.()
  await watching
})
