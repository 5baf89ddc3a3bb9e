import { SysFlag } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { BatchToAppend, MessageStore, StoreOptions } from './index.ts'
import { StoreBench, logBytes, message } from './store-bench.test-kit.ts'

const UNIQUE = 'UNIQ_KEY\u0001k\u0002'
const options: Partial<StoreOptions> = {
  isBatchTopic: (topic) => topic === 'orders',
  batchQueueFileBytes: 46 * 4,
}

function batch(contents: readonly string[], properties = UNIQUE): BatchToAppend {
  const messages = contents.map((text) => ({
    flag: 0,
    body: Buffer.from(text),
    properties: `TAGS\u0001${text}\u0002`,
  }))
  return { ...message(''), messages, properties }
}

function texts(store: MessageStore): string[] {
  const queue = store.queue('orders', 0)
  const found: string[] = []
  for (let at = queue?.minOffset ?? 0; at < (queue?.maxOffset ?? 0); at += 1) {
    const unit = queue?.unit(at)
    found.push(unit === undefined ? '-' : store.record(unit.offset, unit.size, at).body.toString())
  }
  return found
}

describe('a batch topic', () => {
  test('takes a batch as one record and finds each of its messages by queue offset, also after a restart of any kind', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster()
    const sent: string[] = []
    for (let n = 0; n < 6; n += 1) {
      const together = [`${n}a`, `${n}b`, `${n}c`]
      const { offsets, queueOffset } = store.appendBatch(batch(together))
      expect([offsets.length, queueOffset]).toEqual([1, sent.length])
      store.append(message(`${n}d`))
      sent.push(...together, `${n}d`)
    }
    await bench.dispatched(store)
    expect(texts(store)).toEqual(sent)
    const queue = store.queue('orders', 0)
    expect(queue?.units(1, 9)).toHaveLength(9)
    const [first] = queue?.units(4, 1) ?? []
    const record = store.record(first?.offset ?? -1)
    expect(record.sysFlag & SysFlag.innerBatch).not.toBe(0)
    expect(record.properties).toBe(`${UNIQUE}INNER_NUM\u00013\u0002INNER_BASE\u00014\u0002`)
    expect(queue?.offsetAtOrAfter(record.physicalOffset)).toBe(4)
    expect(queue?.offsetAtOrAfter(record.physicalOffset + 1)).toBe(7)

    bench.kill()
    const killed = await bench.openMaster()
    expect(texts(killed)).toEqual(sent)
    await bench.clock.outcome(killed.flush())
    bench.cutPower()
    const cut = await bench.openMaster()
    expect(texts(cut)).toEqual(sent)
    await bench.clock.outcome(cut.close())
    const last = await bench.openMaster()
    expect(last.appendBatch(batch(['x', 'y'])).queueOffset).toBe(sent.length)
    await bench.dispatched(last)
    expect(texts(last)).toEqual([...sent, 'x', 'y'])
  })

  test('takes a batch without a key of its own as records of their own', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster()
    expect(store.appendBatch(batch(['a', 'b'], '')).offsets).toHaveLength(2)
    await bench.dispatched(store)
    expect(texts(store)).toEqual(['a', 'b'])
  })

  test('is one for a slave too that knows nothing of topics, from its first batch on', async () => {
    const master = await new StoreBench(options).openMaster()
    master.appendBatch(batch(['a', 'b']))
    master.append(message('c'))
    const bench = new StoreBench({ batchQueueFileBytes: 46 * 4 })
    const slave = await bench.open()
    slave.appendRaw(0, logBytes(master))
    await bench.dispatched(slave)
    expect(texts(slave)).toEqual(['a', 'b', 'c'])
  })

  test('ends where the log was cut, and gives the offsets again that went', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster()
    store.appendBatch(batch(['a', 'b']))
    const { offset } = store.appendBatch(batch(['c', 'd']))
    await bench.dispatched(store)
    await bench.clock.outcome(store.truncateTo(offset))
    expect(texts(store)).toEqual(['a', 'b'])
    await bench.clock.outcome(store.openEpoch())
    expect(store.appendBatch(batch(['e'])).queueOffset).toBe(2)
  })

  test.each(['batchconsumequeue', 'batchconsumequeue and what was noted'])(
    'is built again where %s is lost',
    async (what) => {
      const bench = new StoreBench(options)
      const store = await bench.openMaster()
      for (let n = 0; n < 6; n += 1) store.appendBatch(batch([`${n}a`, `${n}b`]))
      store.append(message('other', 'payments'))
      await bench.dispatched(store)
      const before = texts(store)
      await bench.clock.outcome(store.close())
      const directory = '/data/store/batchconsumequeue/orders/0'
      for (const name of bench.disk.list(directory)) bench.disk.remove(`${directory}/${name}`)
      if (what !== 'batchconsumequeue') {
        bench.disk.remove('/data/store/consumequeue/payments/0/00000000000000000000')
        bench.disk.remove('/data/store/queueEnds')
      }
      const again = await bench.openMaster()
      expect(texts(again)).toEqual(before)
      expect(again.appendBatch(batch(['x'])).queueOffset).toBe(before.length)
    },
  )

  test('forgets what the log has given up, and never gives an offset twice', async () => {
    const bench = new StoreBench(options)
    const store = await bench.openMaster()
    for (let n = 0; n < 40; n += 1) store.appendBatch(batch([`${n}a`, 'x'.repeat(300)]))
    await bench.clock.advance(6000)
    await bench.clock.outcome(store.expire(2 * 4096))
    const queue = store.queue('orders', 0)
    expect(queue?.minOffset).toBe(queue?.offsetAtOrAfter(2 * 4096))
    expect(texts(store).at(-2)).toBe('39a')
    expect(bench.disk.list('/data/store/batchconsumequeue/orders/0')[0]).not.toBe('0'.repeat(20))
    const { maxOffset = 0, minOffset = 0 } = queue ?? {}
    await bench.clock.outcome(store.close())
    const again = await bench.openMaster()
    expect(again.queue('orders', 0)).toMatchObject({ minOffset, maxOffset })
  })

  test('does not let a client say that its message is a batch', async () => {
    const store = await new StoreBench(options).openMaster()
    const illegal = expect.objectContaining({ code: 'MESSAGE_ILLEGAL' })
    expect(() => store.append({ ...message('x'), sysFlag: SysFlag.innerBatch })).toThrow(illegal)
    expect(() => store.append({ ...message('x'), properties: 'INNER_NUM\u00015\u0002' })).toThrow(illegal)
  })

  test.each([0, 20, 28])(
    'is built again where byte %s of its first file was hit while it was closed',
    async (at) => {
      const bench = new StoreBench(options)
      const store = await bench.openMaster()
      for (let n = 0; n < 6; n += 1) store.appendBatch(batch([`${n}a`, `${n}b`]))
      await bench.dispatched(store)
      const before = texts(store)
      await bench.clock.outcome(store.close())
      bench.disk.corrupt(
        '/data/store/batchconsumequeue/orders/0/00000000000000000000',
        at + 2,
        Buffer.from([1]),
      )
      expect(texts(await bench.open())).toEqual(before)
    },
  )
})
