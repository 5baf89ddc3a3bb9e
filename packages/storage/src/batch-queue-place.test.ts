import { describe, expect, test } from 'vitest'
import type { BatchToAppend, MessageStore } from './index.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const root = '/data/store'
const options = {
  batchQueueFileBytes: 46 * 4,
  isBatchTopic: (topic: string): boolean => topic === 'orders' || topic === 'rare',
}

function batch(topic: string, contents: readonly string[]): BatchToAppend {
  const messages = contents.map((text) => ({ flag: 0, body: Buffer.from(text), properties: '' }))
  return { ...message('', topic), messages, properties: 'UNIQ_KEY\u0001k\u0002' }
}

/** A store whose topic `rare` has had three messages, which have all expired. */
async function expired(bench: StoreBench): Promise<MessageStore> {
  const store = await bench.openMaster()
  store.appendBatch(batch('rare', ['a', 'b', 'c']))
  for (let n = 0; n < 40; n += 1) store.appendBatch(batch('orders', [`${n}`, 'x'.repeat(300)]))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  await bench.clock.outcome(store.expire(2 * 4096))
  await bench.clock.advance(10_000)
  return store
}

function lose(bench: StoreBench, ...names: string[]): void {
  for (const name of names) bench.disk.remove(`${root}/${name}`)
}

const place = { minOffset: 3, maxOffset: 3 }

describe('the place of a batch queue whose messages have all expired', () => {
  test('outlives the loss of its files, and then that of what was written down about them', async () => {
    const bench = new StoreBench(options)
    const store = await expired(bench)
    expect(store.queue('rare', 0)).toMatchObject(place)
    await bench.clock.outcome(store.close())
    lose(bench, 'batchconsumequeue')
    const rebuilt = await bench.openMaster()
    expect(rebuilt.queue('rare', 0)).toMatchObject(place)
    await bench.clock.outcome(rebuilt.close())
    lose(bench, 'queueEnds', 'queueEnds.bak')
    const last = await bench.openMaster()
    expect(last.queue('rare', 0)).toMatchObject(place)
    expect(last.appendBatch(batch('rare', ['d', 'e'])).queueOffset).toBe(3)
    await bench.dispatched(last)
    expect(last.queue('rare', 0)).toMatchObject({ minOffset: 3, maxOffset: 5 })
    expect(last.queue('rare', 0)?.units(3, 5)).toHaveLength(2)
  })

  test('is taken over from an ordinary queue', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster({ isBatchTopic: () => false })
    store.append(message('a', 'rare'))
    for (let n = 0; n < 40; n += 1) store.append(message('x'.repeat(300)))
    await bench.clock.outcome(store.flush())
    await bench.clock.advance(10_000)
    await bench.clock.outcome(store.expire(2 * 4096))
    await bench.clock.outcome(store.close())
    for (let restart = 0; restart < 3; restart += 1) {
      const again = await bench.openMaster()
      expect(again.queue('rare', 0)).toMatchObject({ minOffset: 1, maxOffset: 1 })
      await bench.clock.outcome(again.close())
      lose(bench, 'queueEnds', 'queueEnds.bak')
    }
    expect(bench.disk.list(`${root}/batchconsumequeue`)).toEqual(['orders', 'rare'])
  })

  test.each(['kill', 'power'] as const)('outlives %s at any call while it is built again', async (how) => {
    let crashes = 0
    for (let crashAt = 1; ; crashAt += 1) {
      const bench = new StoreBench(options, crashAt)
      const store = await expired(bench)
      await bench.clock.outcome(store.close())
      lose(bench, 'batchconsumequeue')
      const crashed = await bench.untilCrash(how, crashAt, async (files) => {
        const rebuilt = await bench.opening({}, files)
        await rebuilt.close()
      })
      if (!crashed) break
      crashes += 1
      const again = await bench.open()
      expect(again.queue('rare', 0), `crash at ${crashAt}`).toMatchObject(place)
      expect(again.queue('orders', 0)?.maxOffset).toBe(80)
      expect(again.queue('orders', 0)?.units(79, 1)).toHaveLength(1)
      bench.kill()
    }
    expect(crashes).toBeGreaterThan(20)
  })
})
