import { describe, expect, test } from 'vitest'
import { readPosition, type MessageStore } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const ROOT = '/data/store'
const TOPICS = 10
const QUEUES = 4
const ROUNDS = 12

/** A disk of which each sync takes half a second: syncing all queues would take 15 s. */
function slowBench(queueSyncIntervalMs: number, seed = 1): StoreBench {
  return new StoreBench({ segmentBytes: 64 * 1024, queueSyncIntervalMs }, seed, { min: 400, max: 600 })
}

async function filled(bench: StoreBench): Promise<MessageStore> {
  const store = await bench.openMaster()
  await fill(bench, store, 0, ROUNDS)
  return store
}

async function fill(bench: StoreBench, store: MessageStore, from: number, to: number): Promise<void> {
  for (let round = from; round < to; round += 1) {
    for (let n = 0; n < TOPICS * QUEUES; n += 1)
      store.append(message(`${round}`, `topic-${n % TOPICS}`, Math.floor(n / TOPICS)))
  }
  await bench.dispatched(store)
}

/** How long a clean stop takes, ms. */
async function stopMs(bench: StoreBench, store: MessageStore): Promise<number> {
  const began = bench.clock.monotonic()
  await bench.clock.outcome(store.close())
  return bench.clock.monotonic() - began
}

function expectAll(store: MessageStore, rounds = ROUNDS): void {
  const all = Array.from({ length: rounds }, (_, round) => `${round}`)
  for (let n = 0; n < TOPICS * QUEUES; n += 1)
    expect(bodies(store, `topic-${n % TOPICS}`, Math.floor(n / TOPICS))).toEqual(all)
}

const NEVER_MS = 3_600_000

describe('a stop with more unsynced queues than it has time for', () => {
  test('ends soon, claims no more than is true, and leaves the mark from which Apache looks for the rest', async () => {
    const bench = slowBench(NEVER_MS)
    const store = await filled(bench)
    expect(await stopMs(bench, store)).toBeLessThan(10_000)
    const { cleanEnd = 0, queuesSynced, flushed } = readPosition(bench.disk, ROOT)
    expect(flushed).toBe(cleanEnd)
    expect(cleanEnd).toBeGreaterThan(0)
    expect(queuesSynced).toBe(0)
    expect(bench.disk.exists(`${ROOT}/abort`)).toBe(true)
  })

  test('does not wait for a sync of queues that is under way', async () => {
    const bench = slowBench(1000)
    const store = await filled(bench)
    await bench.clock.advance(2500)
    expect(await stopMs(bench, store)).toBeLessThan(10_000)
  })

  test.each([
    ['the next start', 1],
    ['a power cut', 1],
    ['a power cut', 2],
    ['a power cut', 3],
  ] as const)('is a clean one after %s (seed %i)', async (what, seed) => {
    const bench = slowBench(NEVER_MS, seed)
    await stopMs(bench, await filled(bench))
    if (what === 'a power cut') bench.cutPower()
    else bench.kill()
    const store = await bench.openMaster()
    expect(store.recovery).toMatchObject({ cleanStop: true, lossPossible: false, truncatedBytes: 0 })
    expectAll(store)
    expect(store.append(message('next', 'topic-3', 2)).queueOffset).toBe(ROUNDS)
  })

  test('loses nothing of queues that were synced once, and grew', async () => {
    const bench = slowBench(1000)
    const rounds = 600 // Three pages of a queue: a power cut may take the middle one.
    const files = { consumeQueueFileBytes: 20_000, segmentBytes: 1 << 20 }
    const store = await bench.openMaster(files)
    await fill(bench, store, 0, 10)
    await bench.clock.advance(60_000)
    expect(readPosition(bench.disk, ROOT).queuesSynced).toBe(store.end)
    await fill(bench, store, 10, rounds)
    await stopMs(bench, store)
    expect(readPosition(bench.disk, ROOT).queuesSynced).toBeLessThan(store.end)
    bench.cutPower()
    expectAll(await bench.open(files), rounds)
  })

  test('is made up for by the next process: power that fails later costs nothing', async () => {
    const bench = slowBench(5000)
    await stopMs(bench, await filled(bench))
    bench.kill()
    const store = await bench.open()
    await bench.clock.advance(60_000)
    expect(readPosition(bench.disk, ROOT).queuesSynced).toBe(store.end)
    expect(await stopMs(bench, store)).toBeLessThan(10_000)
    expect(bench.disk.exists(`${ROOT}/abort`)).toBe(false)
    bench.cutPower()
    expectAll(await bench.open())
  })

  test('leaves queues unsynced for the next process too, until that has synced them', async () => {
    const bench = slowBench(NEVER_MS)
    await stopMs(bench, await filled(bench))
    bench.kill()
    const second = await bench.open()
    expect(await stopMs(bench, second)).toBeLessThan(10_000)
    bench.cutPower()
    expectAll(await bench.open())
  })
})
