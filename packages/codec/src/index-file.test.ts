import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  indexFileBytes,
  indexSlotOf,
  indexSource,
  putIndexKey,
  queryIndex,
  type IndexGeometry,
} from './index-file.ts'
import { decodeIndexHeader, encodeIndexHeader, succeedingIndexHeader } from './index-header.ts'
import { indexKeyHash, indexKeysOf } from './index-key.ts'

const geometry: IndexGeometry = { slots: 7, entries: 20 }
const everything = { begin: 0, end: Number.MAX_SAFE_INTEGER, max: 64 }
const T0 = 1_700_000_000_000

function fileWith(keys: readonly { keyHash: number; offset: number; storeTimestamp: number }[]): Buffer {
  const file = Buffer.alloc(indexFileBytes(geometry))
  for (const key of keys) expect(putIndexKey(file, geometry, key)).toBe(true)
  return file
}

describe('an index key', () => {
  it('hashes to the place RocketMQ puts it', () => {
    expect(indexKeyHash('TopicTest#key1')).toBe(1655984460)
    expect(indexSlotOf({ slots: 5_000_000, entries: 20_000_000 }, 1655984460)).toBe(984460)
  })

  it('hashes to 0 where the Java hash has no positive form', () => {
    expect(indexKeyHash('polygenelubricants')).toBe(0) // The well-known text whose hash is −2^31.
  })

  it('is made of unique key, keys and tag, in that order', () => {
    const properties = 'TAGS\u0001TagA\u0002KEYS\u0001k1  k2\u0002UNIQ_KEY\u0001ABC\u0002'
    expect(indexKeysOf('T', properties)).toEqual(['T#ABC', 'T#k1', 'T#k2', 'T#T#TagA'])
    expect(indexKeysOf('T', '')).toEqual([])
  })
})

describe('an index file', () => {
  it('finds what was put, newest first, in range and up to the limit', () => {
    const put = fc.record({ keyHash: fc.nat(20), seconds: fc.nat(50) })
    fc.assert(
      fc.property(
        fc.array(put, { maxLength: 19 }),
        fc.nat(20),
        fc.nat(50),
        fc.nat(50),
        fc.nat(5),
        (puts, ...query) => {
          const [keyHash, from, length, max] = query
          const keys = puts
            .toSorted((a, b) => a.seconds - b.seconds)
            .map((key, index) => ({
              keyHash: key.keyHash,
              offset: index,
              storeTimestamp: T0 + key.seconds * 1000,
            }))
          const start = keys[0]?.storeTimestamp ?? T0
          const [begin, end] = [start + from * 1000, start + (from + length) * 1000]
          const source = indexSource(fileWith(keys), geometry)
          const expected = keys.filter(
            (key) => key.keyHash === keyHash && key.storeTimestamp >= begin && key.storeTimestamp <= end,
          )
          expect(queryIndex(source, { keyHash, begin, end, max })).toEqual(
            expected
              .map(({ offset }) => offset)
              .toReversed()
              .slice(0, max),
          )
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is full with one entry less than it has places, and then stays as it is', () => {
    const keys = Array.from({ length: 19 }, (_, index) => ({
      keyHash: index,
      offset: index,
      storeTimestamp: T0,
    }))
    const file = fileWith(keys)
    const before = Buffer.from(file)
    expect(putIndexKey(file, geometry, { keyHash: 1, offset: 99, storeTimestamp: T0 })).toBe(false)
    expect(file.equals(before)).toBe(true)
  })

  it('ends a query, whatever its bytes are', () => {
    const noise = fc.uint8Array({ minLength: indexFileBytes(geometry), maxLength: indexFileBytes(geometry) })
    fc.assert(
      fc.property(noise, fc.nat(20), fc.nat(19), (random, keyHash, indexCount) => {
        const file = Buffer.from(random)
        file.writeInt32BE(indexCount, 36)
        for (let at = 40; at < file.length; at += 4) file.writeInt32BE((file[at] ?? 0) % 20, at) // Dense with links.
        const found = queryIndex(indexSource(file, geometry), { keyHash, ...everything })
        expect(found.length).toBeLessThan(20)
      }),
    )
  })

  it('takes a slot that points behind the last entry for an empty one', () => {
    const file = fileWith([{ keyHash: 3, offset: 100, storeTimestamp: T0 }])
    file.writeInt32BE(1_000_000, 40 + 4 * 3)
    expect(queryIndex(indexSource(file, geometry), { keyHash: 3, ...everything, begin: 0 })).toEqual([])
    putIndexKey(file, geometry, { keyHash: 3, offset: 200, storeTimestamp: T0 })
    expect(indexSource(file, geometry).entry(2)).toMatchObject({ offset: 200, previous: 0 })
  })

  it('counts the first entry of a later file from the end of the file before', () => {
    const full = decodeIndexHeader(fileWith([{ keyHash: 3, offset: 100, storeTimestamp: T0 }]), 0)
    const file = Buffer.alloc(indexFileBytes(geometry))
    encodeIndexHeader(file, 0, succeedingIndexHeader(full))
    expect(decodeIndexHeader(file, 0)).toMatchObject({
      beginPhyOffset: 100,
      endPhyOffset: 100,
      endTimestamp: T0,
    })
    putIndexKey(file, geometry, { keyHash: 3, offset: 200, storeTimestamp: T0 + 5000 })
    expect(indexSource(file, geometry).entry(1).timeDiff).toBe(5)
    expect(decodeIndexHeader(file, 0)).toMatchObject({ beginPhyOffset: 200, beginTimestamp: T0 + 5000 })
  })

  it('does not follow a chain that leads to itself or forward', () => {
    const file = fileWith([
      { keyHash: 3, offset: 100, storeTimestamp: T0 },
      { keyHash: 3, offset: 200, storeTimestamp: T0 },
    ])
    const previousOfFirst = 40 + 4 * geometry.slots + 20 * 1 + 16
    file.writeInt32BE(2, previousOfFirst)
    expect(queryIndex(indexSource(file, geometry), { keyHash: 3, ...everything })).toEqual([200, 100])
  })

  it.each([
    ['another length', Buffer.alloc(indexFileBytes(geometry) + 20)],
    ['more entries than places', Buffer.alloc(indexFileBytes(geometry)).fill(0x7f, 36, 40)],
  ])('is refused with %s', (_what, file) => {
    expect(() => indexSource(file, geometry)).toThrow(expect.objectContaining({ code: 'STATE_FILE_CORRUPT' }))
  })
})
