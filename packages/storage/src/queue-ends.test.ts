import { BATCH_UNIT_BYTES, UNIT_BYTES, encodeBatchUnit, encodeUnit } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { BatchToAppend, MessageStore } from './index.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const root = '/data/store'
const kinds = [
  ['consumequeue', 20 * 5],
  ['batchconsumequeue', 46 * 5],
] as const

function benchOf(kind: string): StoreBench {
  const isBatchTopic = (topic: string): boolean => kind === 'batchconsumequeue' && topic === 'orders'
  return new StoreBench({ isBatchTopic, batchQueueFileBytes: 46 * 5 })
}

function record(kind: string, text: string): BatchToAppend {
  const properties = kind === 'batchconsumequeue' ? 'UNIQ_KEY\u0001k\u0002' : ''
  return { ...message(''), messages: [{ flag: 0, body: Buffer.from(text), properties: '' }], properties }
}

/** Five records fill a file of the log, and a file of their queue. */
async function filled(bench: StoreBench, kind: string): Promise<MessageStore> {
  const store = await bench.openMaster()
  for (let n = 0; n < 23; n += 1) store.appendBatch(record(kind, `${n} ${'x'.repeat(640)}`))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  expect(store.queue('orders', 0)?.offsetAtOrAfter(4096)).toBe(5)
  return store
}

function builtAgain(bench: StoreBench): boolean {
  return bench.logger.messages().some((words) => words.includes('built again'))
}

describe.each(kinds)('queues in %s', (kind) => {
  test('are as they were where expiry has removed files up to the very begin of the log', async () => {
    for (const end of ['kill', 'clean'] as const) {
      const bench = benchOf(kind)
      const store = await filled(bench, kind)
      await bench.clock.outcome(store.expire(2 * 4096))
      expect(store.queue('orders', 0)).toMatchObject({ minOffset: 10, maxOffset: 23 })
      if (end === 'kill') bench.kill()
      else await bench.clock.outcome(store.close())
      const again = await bench.open()
      expect(again.queue('orders', 0)).toMatchObject({ minOffset: 10, maxOffset: 23 })
      expect(builtAgain(bench), end).toBe(false)
    }
  })

  test('are built again where their first file is lost, though nothing has expired', async () => {
    const bench = benchOf(kind)
    const store = await filled(bench, kind)
    await bench.clock.outcome(store.close())
    bench.disk.remove(`${root}/${kind}/orders/0/${'0'.repeat(20)}`)
    const again = await bench.open()
    expect(again.queue('orders', 0)).toMatchObject({ minOffset: 0, maxOffset: 23 })
    expect(again.queue('orders', 0)?.units(0, 1)).toHaveLength(1)
  })

  test('are built again where a unit that nobody has written follows their last one', async () => {
    const bench = benchOf(kind)
    const store = await filled(bench, kind)
    const last = store.queue('orders', 0)?.unit(22)?.offset ?? -1
    await bench.clock.outcome(store.close())
    const start = 20 * (kind === 'consumequeue' ? UNIT_BYTES : BATCH_UNIT_BYTES)
    const file = bench.disk.open(`${root}/${kind}/orders/0/${String(start).padStart(20, '0')}`, 'read-write')
    const place = { offset: last + 1, size: 100, tagsCode: 0n }
    const unit = Buffer.alloc(kind === 'consumequeue' ? UNIT_BYTES : BATCH_UNIT_BYTES)
    if (kind === 'consumequeue') encodeUnit(unit, 0, place)
    else
      encodeBatchUnit(unit, 0, {
        ...place,
        storeTimestamp: 0,
        baseOffset: 23,
        batchSize: 1,
        compactedOffset: -1,
      })
    file.write(unit, 3 * unit.length)
    file.close()
    const again = await bench.openMaster()
    expect(again.queue('orders', 0)?.maxOffset).toBe(23)
    expect(again.append(message('next')).queueOffset).toBe(23)
  })

  test('of a store that has no others are not built again at every start', async () => {
    const bench = benchOf(kind)
    const store = await filled(bench, kind)
    await bench.clock.outcome(store.close())
    const before = bench.disk.changes
    const again = await bench.open()
    expect(bench.disk.changes - before).toBeLessThan(12)
    await bench.clock.outcome(again.close())
  })
})
