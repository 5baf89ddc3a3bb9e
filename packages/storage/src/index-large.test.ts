import {
  decodeIndexHeader,
  encodeIndexHeader,
  indexFileBytes,
  indexKeyHash,
  indexKeysOf,
  putIndexKey,
  succeedingIndexHeader,
} from '@tandemmq/codec'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { IndexOfKeys, type IndexedRecord } from './index-of-keys.ts'

/** Several pieces of slots, several blocks of entries. */
const geometry = { slots: 40_000, entries: 150_000 }
const RECORDS = 26_000

function record(n: number): IndexedRecord {
  const properties = `KEYS\u0001key-${n}\u0002UNIQ_KEY\u0001id-${n}\u0002TAGS\u0001all\u0002`
  return { topic: 'orders', properties, offset: n * 300, storeTimestamp: 1_700_000_000_000 + n * 7 }
}

/** The same file, made by putting one key after the other into a buffer. */
function expectedFile(): Buffer {
  const file = Buffer.alloc(indexFileBytes(geometry))
  for (let n = 0; n < RECORDS; n += 1) {
    const { topic, properties, offset, storeTimestamp } = record(n)
    for (const key of indexKeysOf(topic, properties)) {
      putIndexKey(file, geometry, { keyHash: indexKeyHash(key), offset, storeTimestamp })
    }
  }
  return file
}

test('a large file is that of the format, and is read and made again piece by piece', async () => {
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  const ports = { files, clock, logger: new RecordingLogger() }
  const opened = async (isClean: boolean, synced: number): Promise<[IndexOfKeys, number | undefined]> => {
    const index = new IndexOfKeys('/store', geometry, ports)
    const trust = { isClean, synced, sealedUntil: 0, logFirst: 0 }
    const resumeAt = await clock.outcome(
      index.load(trust, (offset) => 1_700_000_000_000 + (offset / 300) * 7),
    )
    return [index, resumeAt]
  }
  const bytes = (): Buffer => {
    const [name = ''] = files.list('/store/index')
    const file = files.open(`/store/index/${name}`, 'read')
    const content = Buffer.alloc(file.size())
    file.read(content, 0)
    return content
  }
  const offsetsOf = async (index: IndexOfKeys, key: string): Promise<number[]> => {
    const range = { keyHash: indexKeyHash(key), begin: 0, end: Infinity }
    const offsets: number[] = []
    const search = index.search(range)
    for (;;) {
      const next = await clock.outcome(search.next())
      if (next.done === true) return offsets
      offsets.push(next.value)
    }
  }

  const [first] = await opened(true, 0)
  for (let n = 0; n < RECORDS; n += 1) {
    if (n % 1000 === 0) first.makeRoom()
    first.put(record(n))
  }
  await clock.outcome(first.finish())
  await clock.outcome(first.sync())
  first.close()
  const expected = expectedFile()
  expect(bytes().equals(expected)).toBe(true)

  const [clean, nothing] = await opened(true, RECORDS * 300)
  expect(nothing).toBeUndefined()
  expect(await offsetsOf(clean, 'orders#key-12345')).toEqual([12_345 * 300])
  expect(await offsetsOf(clean, 'orders#T#all')).toHaveLength(RECORDS)
  clean.close()

  const [crashed] = await opened(false, 20_000 * 300)
  expect(crashed.newest?.offset).toBe(19_999 * 300)
  for (let n = 19_000; n < RECORDS; n += 1) crashed.put(record(n))
  await clock.outcome(crashed.finish())
  await clock.outcome(crashed.sync())
  crashed.close()
  expect(bytes().equals(expected)).toBe(true)
})

test('a row of files is that of the format, the times in it too', async () => {
  const small = { slots: 30, entries: 50 }
  const clock = new SimulatedClock()
  const files = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  const index = new IndexOfKeys('/store', small, { files, clock, logger: new RecordingLogger() })
  await clock.outcome(index.load({ isClean: true, synced: 0, sealedUntil: 0, logFirst: 0 }, () => undefined))
  const expected: Buffer[] = []
  for (let n = 0; n < 100; n += 1) {
    const sparse = { ...record(n), storeTimestamp: 1_700_000_000_000 + n * 1700 }
    index.put(sparse)
    for (const key of indexKeysOf(sparse.topic, sparse.properties)) {
      const put = { keyHash: indexKeyHash(key), offset: sparse.offset, storeTimestamp: sparse.storeTimestamp }
      const last = expected.at(-1)
      if (last !== undefined && putIndexKey(last, small, put)) continue
      const next = Buffer.alloc(indexFileBytes(small))
      if (last !== undefined) encodeIndexHeader(next, 0, succeedingIndexHeader(decodeIndexHeader(last, 0)))
      putIndexKey(next, small, put)
      expected.push(next)
    }
  }
  await clock.outcome(index.finish())
  expect(await clock.outcome(index.sync())).toBe(
    decodeIndexHeader(expected.at(-2) ?? Buffer.alloc(40), 0).endTimestamp,
  )
  index.close()
  const ours = files.list('/store/index').map((name) => {
    const file = files.open(`/store/index/${name}`, 'read')
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    return bytes
  })
  expect(ours).toEqual(expected)
})
