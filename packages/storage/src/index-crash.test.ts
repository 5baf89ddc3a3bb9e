import { describe, expect, test } from 'vitest'
import { INDEX, expectIndexOfLog, found, keyed, smallIndex } from './index-bench.test-kit.ts'
import type { MessageStore, StoreOptions } from './index.ts'
import { StoreBench, bodies } from './store-bench.test-kit.ts'

const options: Partial<StoreOptions> = {
  index: smallIndex,
  positionIntervalMs: 200,
  queueSyncIntervalMs: 400,
  flushIntervalMs: 300,
  preZeroBytes: 0,
}

/** Every call to the disk is one to crash at; a run tries each n-th of them, beginning elsewhere with each seed. */
const STRIDE = Number(process.env['CRASH_STRIDE'] ?? 6)

/** Fills index files while they are synced, cuts the log within one, fills again, and closes. */
async function script(bench: StoreBench, store: MessageStore): Promise<void> {
  if (store.lineage === undefined) await store.createLineage()
  await store.openEpoch()
  const offsets: number[] = []
  let n = bodies(store).length
  for (let round = 0; round < 4; round += 1) {
    for (let k = 0; k < 4; k += 1) offsets.push(store.append(keyed(n++)).offset)
    await new Promise<void>((resolve) => bench.clock.after(round === 1 ? 50 : 700, resolve))
  }
  await store.truncateTo(offsets[9] ?? 0)
  await store.openEpoch()
  for (let k = 0; k < 5; k += 1) store.append(keyed(1000 + n++))
  await new Promise<void>((resolve) => bench.clock.after(900, resolve))
  for (let k = 0; k < 3; k += 1) store.append(keyed(1000 + n++))
  await store.flush()
  await store.close()
}

describe.each([
  ['kill', 1],
  ['kill', 2],
  ['power', 1],
  ['power', 2],
] as const)('after a crash (%s) at any call to the disk (seed %i)', (how, seed) => {
  test('the index is that of the log, byte by byte', async () => {
    let crashes = 0
    for (let crashAt = 1 + ((seed * 2) % STRIDE); ; crashAt += STRIDE) {
      const bench = new StoreBench(options, crashAt + 1000 * seed)
      const crashed = await bench.untilCrash(how, crashAt, async (files) => {
        await script(bench, await bench.opening({}, files))
      })
      if (!crashed) break
      crashes += 1
      // The recovery dies as well, now and then.
      await bench.untilCrash(how, 1 + bench.random.below(40), async (files) => {
        await bench.opening({}, files)
      })
      const store = await bench.open()
      if (store.lineage === undefined) await bench.clock.outcome(store.createLineage())
      await bench.clock.outcome(store.openEpoch())
      store.append(keyed(5000))
      await bench.dispatched(store)
      expect(await found(bench, store, 'key', 'key-5000')).toEqual(['body 5000'])
      const again = await expectIndexOfLog(bench, store, (built, kept) =>
        expect(kept, `crash at ${crashAt}`).toEqual(built),
      )
      expect(bench.disk.list(INDEX).length).toBeGreaterThan(0)
      await bench.clock.outcome(again.close())
    }
    expect(crashes).toBeGreaterThan(100 / STRIDE)
  })
})
