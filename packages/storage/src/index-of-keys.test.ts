import fc from 'fast-check'
import { indexKeyHash, indexKeysOf } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import { indexFileName, isIndexFileName } from './index-file-name.ts'
import { IndexKeyHashes } from './index-key-hashes.ts'
import { INDEX, expectIndexOfLog, found, indexBytes, keyed, smallIndex } from './index-bench.test-kit.ts'
import type { MessageStore } from './index.ts'
import { StoreBench } from './store-bench.test-kit.ts'

const MESSAGES = 23

async function filled(bench: StoreBench, count = MESSAGES): Promise<MessageStore> {
  const store = await bench.openMaster()
  for (let n = 0; n < count; n += 1) {
    store.append(keyed(n))
    if (n % 5 === 4) await bench.clock.advance(700)
  }
  await bench.dispatched(store)
  return store
}

const sameIndex = (built: string[], kept: string[]): void => expect(kept).toEqual(built)

describe('the hashes of a record’s keys', () => {
  test('are those of the keys that codec names, whatever the properties are', () => {
    const hashes = new IndexKeyHashes()
    const piece = fc.constantFrom(
      'UNIQ_KEY',
      'KEYS',
      'TAGS',
      'a',
      ' ',
      '\u0001',
      '\u0002',
      '',
      'é',
      'k1 k2  k3',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.constantFrom('T', 'orders', ''), (pieces, topic) => {
        const properties = pieces.join('')
        const count = hashes.take(topic, properties)
        const ours = Array.from({ length: count }, (_, n) => hashes.at(n))
        expect(ours).toEqual(indexKeysOf(topic, properties).map(indexKeyHash))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('the name of an index file', () => {
  test('is the local time of its creation, and always above the one before', () => {
    const now = new Date(2026, 10, 22, 16, 27, 22, 249).getTime()
    expect(indexFileName(now, undefined)).toBe('20261122162722249')
    expect(indexFileName(now, '20261122162722249')).toBe('20261122162722250')
    expect(indexFileName(now, '20271122162722249')).toBe('20271122162722250')
    expect(['20261122162722249', '2026112216272224', 'x0261122162722249'].map(isIndexFileName)).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('a query', () => {
  test('finds by key, unique key and tag, the newest first', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await filled(bench)
    expect(await found(bench, store, 'key', 'key-7')).toEqual(['body 7'])
    expect(await found(bench, store, 'key', 'shared-4')).toEqual(['body 14', 'body 13', 'body 12'])
    expect(await found(bench, store, 'uniqueKey', 'id-0')).toEqual(['body 0'])
    expect(await found(bench, store, 'key', 'id-0')).toEqual([])
    expect(await found(bench, store, 'tag', 'odd', { max: 3 })).toEqual(['body 21', 'body 19', 'body 17'])
    expect(await found(bench, store, 'key', 'nothing')).toEqual([])
  })

  test('keeps to the time, the number and the position it is given', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await filled(bench)
    const all = (await bench.clock.outcome(store.query({ topic: 'orders', by: 'tag', value: 'even' })))
      .records
    expect(all).toHaveLength(12)
    for (let from = 0; from < all.length; from += 3) {
      for (let to = from; to < all.length; to += 2) {
        const [end = 0, begin = 0] = [all[from]?.storeTimestamp, all[to]?.storeTimestamp]
        const expected = all.filter(
          (record) => record.storeTimestamp >= begin && record.storeTimestamp <= end,
        )
        const range = { topic: 'orders', by: 'tag', value: 'even', begin, end } as const
        const { records } = await bench.clock.outcome(store.query(range))
        expect(records.map(({ queueOffset }) => queueOffset)).toEqual(
          expected.map(({ queueOffset }) => queueOffset),
        )
      }
    }
    const upTo = all[2]?.physicalOffset ?? 0
    expect(await found(bench, store, 'tag', 'even', { upTo, max: 1 })).toEqual(['body 16'])
  })

  test('finds halves of transactions, and no rollbacks', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await bench.openMaster()
    const [half, commit, rollback] = [0x4, 0x8, 0xc]
    for (const [n, sysFlag = 0] of [0, half, commit, rollback].entries())
      store.append({ ...keyed(n), sysFlag })
    await bench.dispatched(store)
    const all = ['body 2', 'body 1', 'body 0']
    expect(await found(bench, store, 'key', 'shared-0')).toEqual(all)
    expect(await found(bench, store, 'key', 'key-3')).toEqual([])
    const again = await expectIndexOfLog(bench, store, sameIndex)
    expect(await found(bench, again, 'key', 'shared-0')).toEqual(all)
    const slave = new StoreBench({ index: smallIndex })
    const copy = await slave.open()
    copy.appendRaw(0, again.read(0, again.end))
    await slave.dispatched(copy)
    expect(await found(slave, copy, 'key', 'shared-0')).toEqual(all)
    expect(await found(slave, copy, 'key', 'key-3')).toEqual([])
  })

  test('tells keys of the same hash apart', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await bench.openMaster()
    for (const key of ['Aa', 'BB']) store.append({ ...keyed(0), properties: `KEYS\u0001${key}\u0002` })
    await bench.dispatched(store)
    const { records } = await bench.clock.outcome(store.query({ topic: 'orders', by: 'key', value: 'Aa' }))
    expect(records.map(({ queueOffset }) => queueOffset)).toEqual([0])
  })

  test('is refused where it cannot be', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await filled(bench, 1)
    const query = { topic: 'orders', by: 'key', value: 'x' } as const
    for (const wrong of [{ max: 0 }, { max: 1001 }, { max: 1.5 }, { topic: '' }, { value: '' }]) {
      await expect(store.query({ ...query, ...wrong })).rejects.toMatchObject({ code: 'ILLEGAL_ARGUMENT' })
    }
    await bench.clock.outcome(store.close())
    const without = await bench.open({ index: undefined })
    await expect(without.query(query)).rejects.toMatchObject({ code: 'NOT_SERVING' })
  })

  test('finds in a running store what it finds after a restart', async () => {
    const bench = new StoreBench({ index: smallIndex })
    let store = await bench.openMaster()
    for (let n = 0; n < 60; n += 1) {
      store.append(keyed(n))
      await bench.dispatched(store)
      if (n % 11 === 7) {
        await bench.clock.advance(6000) // Everything is on file.
        expect(await found(bench, store, 'key', `shared-${Math.floor(n / 3)}`)).toContain(`body ${n}`)
      }
      if (n % 20 === 13) {
        await bench.clock.outcome(store.close())
        store = await bench.openMaster()
      }
      for (const m of [n, n >> 1, 0])
        expect(await found(bench, store, 'uniqueKey', `id-${m}`)).toEqual([`body ${m}`])
    }
    expect(await found(bench, store, 'tag', 'odd')).toHaveLength(30)
  })
})

describe('index files', () => {
  test('are written behind: appending and dispatching writes none of them', async () => {
    const bench = new StoreBench({ index: { slots: 1000, entries: 4000 }, positionIntervalMs: 100_000 })
    const store = await bench.openMaster()
    for (let n = 0; n < 500; n += 1) {
      store.append(keyed(n))
      await bench.dispatched(store)
    }
    expect(bench.disk.list(INDEX)).toEqual([])
    expect(await found(bench, store, 'key', 'key-123')).toEqual(['body 123'])
  })

  test('that are full do not wait in memory for the next sync', async () => {
    const bench = new StoreBench({ index: smallIndex, positionIntervalMs: 100_000 })
    const store = await bench.openMaster()
    for (let n = 0; n < 30; n += 1) {
      store.append(keyed(n))
      await bench.dispatched(store)
    }
    expect(bench.disk.list(INDEX).length).toBeGreaterThan(4)
  })

  test('are the same however they came to be', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await expectIndexOfLog(bench, await filled(bench), sameIndex)
    expect(await found(bench, store, 'key', 'key-7')).toEqual(['body 7'])
    expect(indexBytes(bench).length).toBe(5)
  })

  test.each([
    ['the first', 0],
    ['one in the middle', 2],
    ['the last', 4],
  ])('that are gone are built again: %s', async (_what, gone) => {
    for (const how of ['close', 'kill', 'power'] as const) {
      const bench = new StoreBench({ index: smallIndex })
      const store = await filled(bench)
      await bench.clock.advance(10_000)
      if (how === 'close') await bench.clock.outcome(store.close())
      else if (how === 'kill') bench.kill()
      else bench.cutPower()
      bench.disk.remove(`${INDEX}/${bench.disk.list(INDEX)[gone]}`)
      const again = await bench.open()
      for (let n = 0; n < MESSAGES; n += 1)
        expect(await found(bench, again, 'key', `key-${n}`)).toEqual([`body ${n}`])
      await expectIndexOfLog(bench, again, sameIndex)
    }
  })

  test.each([
    ['a slot', 40 + 4 * 3, 4],
    ['an entry', 40 + 28 + 20 * 2, 20],
    ['the header', 0, 40],
    ['half of the last file', 40, 200],
  ])('that are damaged are built again: %s', async (_what, at, length) => {
    for (const how of ['close', 'kill'] as const) {
      const bench = new StoreBench({ index: smallIndex })
      const store = await filled(bench)
      await bench.clock.advance(10_000)
      if (how === 'close') await bench.clock.outcome(store.close())
      else bench.kill()
      const last = bench.disk.list(INDEX).at(-1)
      bench.disk.corrupt(`${INDEX}/${last}`, at, Buffer.alloc(length, how === 'kill' ? 0 : 0x7f))
      const again = await bench.open()
      // An entry inside a file that was left in order is not looked at before somebody asks.
      if (!(how === 'close' && at === 108)) await expectIndexOfLog(bench, again, sameIndex)
    }
  })

  test('of a store that ran without index in between lack nothing', async () => {
    // More than a start reads again anyway.
    const bench = new StoreBench({ index: smallIndex, segmentBytes: 2 ** 22 })
    await bench.clock.outcome((await filled(bench)).close())
    const without = await bench.openMaster({ index: undefined })
    for (let n = MESSAGES; n < 1400; n += 1) {
      without.append({ ...keyed(n), body: Buffer.alloc(2000, 120) })
      if (n % 50 === 0) await bench.dispatched(without)
    }
    await bench.clock.advance(20_000)
    await bench.clock.outcome(without.close())
    const again = await bench.open()
    for (const n of [0, 22, 23, 24, 100, 1399]) {
      const { records } = await bench.clock.outcome(
        again.query({ topic: 'orders', by: 'key', value: `key-${n}` }),
      )
      expect(records.map(({ queueOffset }) => queueOffset)).toEqual([n])
    }
  })

  test('that lead behind the end of the log lose what is there', async () => {
    for (const lost of [1, 5, 21]) {
      const bench = new StoreBench({ index: smallIndex, segmentBytes: 65_536 })
      const store = await bench.openMaster()
      const offsets: number[] = []
      for (let n = 0; n < MESSAGES; n += 1) offsets.push(store.append(keyed(n)).offset)
      const { end } = store
      await bench.clock.outcome(store.close())
      // A closed store whose log has lost its tail, as from a backup that was not taken at one moment.
      const from = offsets[MESSAGES - lost] ?? 0
      bench.disk.corrupt('/data/store/commitlog/00000000000000000000', from, Buffer.alloc(end - from))
      const again = await bench.openMaster()
      expect(again.end).toBe(from)
      again.append(keyed(500))
      await bench.dispatched(again)
      expect(await found(bench, again, 'key', `key-${MESSAGES - lost}`)).toEqual([])
      expect(await found(bench, again, 'key', `key-${MESSAGES - lost - 1}`)).toHaveLength(1)
      expect(await found(bench, again, 'key', 'key-500')).toEqual(['body 500'])
      await expectIndexOfLog(bench, again, sameIndex)
    }
  })

  test('of another shape than configured are built again', async () => {
    const bench = new StoreBench({ index: smallIndex })
    await bench.clock.outcome((await filled(bench)).close())
    const again = await bench.open({ index: { slots: 12, entries: 19 } })
    for (let n = 0; n < MESSAGES; n += 1)
      expect(await found(bench, again, 'key', `key-${n}`)).toEqual([`body ${n}`])
    expect(indexBytes(bench).every((bytes) => bytes.length === 2 * (40 + 4 * 12 + 20 * 19))).toBe(true)
  })

  test('lose what is cut off the log', async () => {
    for (const keep of [0, 1, 4, 5, 11, 22]) {
      const bench = new StoreBench({ index: smallIndex })
      const store = await bench.openMaster()
      const offsets: number[] = []
      for (let n = 0; n < MESSAGES; n += 1) offsets.push(store.append(keyed(n)).offset)
      await bench.dispatched(store)
      await bench.clock.advance(10_000)
      await bench.clock.outcome(store.truncateTo(offsets[keep] ?? 0))
      expect(await found(bench, store, 'key', `key-${keep}`)).toEqual([])
      if (keep > 0) expect(await found(bench, store, 'key', `key-${keep - 1}`)).toEqual([`body ${keep - 1}`])
      await bench.clock.outcome(store.openEpoch())
      for (let n = 0; n < 10; n += 1) store.append(keyed(100 + n))
      await bench.dispatched(store)
      expect(await found(bench, store, 'key', 'key-103')).toEqual(['body 103'])
      const again = await expectIndexOfLog(bench, store, sameIndex)
      expect(await found(bench, again, 'tag', 'even')).toHaveLength(Math.ceil(keep / 2) + 5)
    }
  })

  test('wait for room on a full disk, and lack nothing when there is some', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await bench.openMaster()
    for (let n = 0; n < 10; n += 1) store.append(keyed(n))
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /index\// })
    await bench.clock.advance(20_000)
    expect(bench.disk.list(INDEX).length).toBeGreaterThan(0)
    bench.cutPower()
    const again = await bench.open()
    for (let n = 0; n < 10; n += 1)
      expect(await found(bench, again, 'key', `key-${n}`)).toEqual([`body ${n}`])
    await expectIndexOfLog(bench, again, sameIndex)
  })

  test('count as synced no more once a sync has failed', async () => {
    const bench = new StoreBench({ index: smallIndex })
    const store = await bench.openMaster()
    for (let n = 0; n < 10; n += 1) store.append(keyed(n))
    bench.disk.fail({ call: 'dataSync', code: 'EIO', matching: /index\// })
    await bench.clock.advance(30_000)
    await bench.clock.outcome(store.close())
    bench.cutPower()
    const again = await bench.open()
    expect(again.recovery.cleanStop).toBe(false)
    for (let n = 0; n < 10; n += 1)
      expect(await found(bench, again, 'key', `key-${n}`)).toEqual([`body ${n}`])
    await expectIndexOfLog(bench, again, sameIndex)
  })

  test('that lead below the log’s begin only are removed', async () => {
    const bench = new StoreBench({ index: smallIndex, segmentBytes: 4096 })
    const store = await filled(bench, 60)
    await bench.clock.outcome(store.close())
    const before = bench.disk.list(INDEX)
    bench.disk.remove('/data/store/commitlog/00000000000000000000')
    bench.disk.remove('/data/store/commitlog/00000000000000004096')
    const again = await bench.open({ acceptLoss: true })
    expect(again.minOffset).toBe(8192)
    const after = bench.disk.list(INDEX)
    expect(after.length).toBeLessThan(before.length)
    expect(before.slice(-after.length)).toEqual(after)
    expect(await found(bench, again, 'key', 'key-1')).toEqual([])
    expect(await found(bench, again, 'key', 'key-59')).toEqual(['body 59'])
  })
})
