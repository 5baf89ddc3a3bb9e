import { describe, expect, it } from 'vitest'
import { decodeRecord } from './decode-record.ts'
import { scanFrame } from './frame-scan.ts'
import { goldenStores, type GoldenStore } from './golden-store.test-data.ts'
import {
  indexFileBytes,
  indexSource,
  putIndexKey,
  queryIndex,
  type IndexGeometry,
  type IndexKey,
} from './index-file.ts'
import { decodeIndexHeader, encodeIndexHeader, succeedingIndexHeader } from './index-header.ts'
import { indexKeyHash, indexKeysOf } from './index-key.ts'
import type { LogRecord } from './log-record.ts'
import { transactionTypeOf } from './sys-flag.ts'

const geometry: IndexGeometry = { slots: 100, entries: 120 }

function recordsOf(store: GoldenStore): LogRecord[] {
  const records: LogRecord[] = []
  for (const path of store.list('commitlog')) {
    const bytes = store.read(path)
    for (let at = 0; ;) {
      const scan = scanFrame(bytes, at, { recordBytesMax: 65536, segmentBytes: 65536 })
      if (scan.kind !== 'message') break
      records.push(decodeRecord(bytes, at))
      at += scan.size
    }
  }
  return records
}

/** 5.3.3 does not index tags. */
function keysOf(store: GoldenStore, { topic, properties }: LogRecord): string[] {
  const keys = indexKeysOf(topic, properties)
  return store.name === 'store-5.3.3' ? keys.filter((key) => !key.startsWith(`${topic}#T#`)) : keys
}

/** Everything the index of a store should hold, in order. */
function indexedKeys(store: GoldenStore): IndexKey[] {
  return recordsOf(store)
    .filter(({ sysFlag }) => transactionTypeOf(sysFlag) !== 'rollback')
    .flatMap((record) =>
      keysOf(store, record).map((key) => ({
        keyHash: indexKeyHash(key),
        offset: record.physicalOffset,
        storeTimestamp: record.storeTimestamp,
      })),
    )
}

describe.each(goldenStores)('the index of $name', (store) => {
  it('decodes field by field as Apache reads it', () => {
    const ours = store.list('index').map((path) => {
      const bytes = store.read(path)
      const source = indexSource(bytes, geometry)
      const slots = Array.from({ length: geometry.slots }, (_, slot) => [slot, source.slot(slot)])
      return {
        file: path.slice('index/'.length),
        fileSize: indexFileBytes(geometry),
        slots: geometry.slots,
        ...source.header,
        usedSlots: slots.filter(([, value]) => value !== 0),
        entries: Array.from({ length: source.header.indexCount - 1 }, (_, index) => {
          const { keyHash, offset, timeDiff, previous } = source.entry(index + 1)
          return { n: index + 1, keyHash, phyOffset: offset, timeDiff, prev: previous }
        }),
      }
    })
    expect(ours).toEqual(store.expected['index'])
  })

  it('is built again from the log to the same bytes', () => {
    const keys = indexedKeys(store)
    let next = 0
    let previous: Buffer | undefined
    for (const path of store.list('index')) {
      const golden = store.read(path)
      const ours = Buffer.alloc(golden.length)
      if (previous !== undefined)
        encodeIndexHeader(ours, 0, succeedingIndexHeader(decodeIndexHeader(previous, 0)))
      // After the kill, recovery indexes the record at the end of the last sealed file again, from its first key on.
      const first = indexSource(golden, geometry).entry(1)
      while (keys[next]?.keyHash !== first.keyHash && keys[next - 1]?.offset === first.offset) next -= 1
      for (let key = keys[next]; key !== undefined && putIndexKey(ours, geometry, key); key = keys[next])
        next += 1
      expect(ours.equals(golden), path).toBe(true)
      previous = ours
    }
    expect(next).toBe(keys.length)
  })

  it('finds every record by each of its keys', () => {
    const sources = store.list('index').map((path) => indexSource(store.read(path), geometry))
    const all = { begin: 0, end: Number.MAX_SAFE_INTEGER, max: 1000 }
    for (const record of recordsOf(store)) {
      for (const key of keysOf(store, record)) {
        const keyHash = indexKeyHash(key)
        expect(sources.flatMap((source) => queryIndex(source, { keyHash, ...all }))).toContain(
          record.physicalOffset,
        )
      }
    }
  })
})
