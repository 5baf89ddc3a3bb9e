import { describe, expect, test } from 'vitest'
import { indexKeysOf } from '@tandemmq/codec'
import {
  goldenFile,
  goldenIndexNames,
  goldenOptions,
  installGolden,
  type ExpectedStore,
} from './golden-store.test-kit.ts'
import type { LogRecord } from '@tandemmq/codec'
import type { MessageStore } from './index.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const DIRECTORY = '/data/store/index'

function bytesOf(bench: StoreBench, name: string): Buffer {
  const file = bench.disk.open(`${DIRECTORY}/${name}`, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}

function indexBytes(bench: StoreBench): Buffer[] {
  return bench.disk.list(DIRECTORY).map((name) => bytesOf(bench, name))
}

function goldenIndex(name: string): Buffer[] {
  return goldenIndexNames(name).map((file) => goldenFile(name, `index/${file}`))
}

/** Key hash and log offset of every entry, in order. */
function entriesOf(files: readonly Buffer[]): string[] {
  return files.flatMap((file) =>
    Array.from({ length: file.readInt32BE(36) - 1 }, (_, index) => {
      const at = 40 + 4 * 100 + 20 * (index + 1)
      return `${file.readInt32BE(at)}@${file.readBigInt64BE(at + 4)}`
    }),
  )
}

/** A slave that was sent the golden store's log, byte by byte, and dispatched it. */
async function replicaOf(
  bench: StoreBench,
  source: MessageStore,
  expected: ExpectedStore,
): Promise<MessageStore> {
  const replica = await bench.open(goldenOptions(expected))
  for (let at = 0; at < source.end;) {
    const piece = source.read(at, 3000)
    replica.appendRaw(at, piece)
    at += piece.length
  }
  await bench.dispatched(replica)
  return replica
}

/** Asks for every key of a record; each answer must be exactly the records that have the key, newest first. */
async function expectFound(
  bench: StoreBench,
  store: MessageStore,
  records: readonly LogRecord[],
): Promise<void> {
  const byKey = new Map<
    string,
    { topic: string; by: 'key' | 'uniqueKey' | 'tag'; value: string; offsets: number[] }
  >()
  const note = (record: LogRecord, by: 'key' | 'uniqueKey' | 'tag', value: string): void => {
    const key = `${record.topic} ${by} ${value}`
    const known = byKey.get(key) ?? { topic: record.topic, by, value, offsets: [] }
    if (known.offsets[0] !== record.physicalOffset) known.offsets.unshift(record.physicalOffset)
    byKey.set(key, known)
  }
  for (const record of records) {
    const keys = indexKeysOf(record.topic, record.properties)
    const values = new Map(
      record.properties.split('\u0002').map((pair) => {
        const [name = '', value = ''] = pair.split('\u0001')
        return [name, value] as const
      }),
    )
    for (const key of keys) {
      const value = key.slice(record.topic.length + 1)
      if (value === values.get('UNIQ_KEY')) note(record, 'uniqueKey', value)
      else if (value === `T#${values.get('TAGS')}`) note(record, 'tag', value.slice(2))
      else note(record, 'key', value)
    }
  }
  expect(byKey.size).toBeGreaterThan(10)
  for (const { topic, by, value, offsets } of byKey.values()) {
    const found = await bench.clock.outcome(store.query({ topic, by, value, max: 1000 }))
    expect(
      found.records.map(({ physicalOffset }) => physicalOffset),
      `${topic} ${by} ${value}`,
    ).toEqual(offsets)
  }
}

function indexedRecords(store: MessageStore, expected: ExpectedStore): LogRecord[] {
  return expected.commitlog
    .filter(({ kind }) => kind === 'message')
    .map(({ physicalOffset }) => store.record(physicalOffset))
    .filter(({ sysFlag }) => (sysFlag & 0xc) !== 0xc)
}

describe.each(['store', 'store-crash', 'store-extra', 'store-5.3.3'])(
  'the index of the genuine Apache %s',
  (name) => {
    test('is read as it is, and appended to', async () => {
      const bench = new StoreBench()
      const expected = await installGolden(bench, name)
      const before = goldenIndex(name)
      const store = await bench.openMaster(goldenOptions(expected))
      if (name !== 'store-5.3.3') await expectFound(bench, store, indexedRecords(store, expected))
      const { offset } = store.append({
        ...message('ours', 'GoldenNormal'),
        properties: 'KEYS\u0001ours\u0002',
      })
      await bench.clock.outcome(store.close())
      const names = bench.disk.list(DIRECTORY)
      // What the kill left unsealed is built again, as Apache does it.
      const kept = name === 'store-crash' ? before.length - 1 : before.length
      expect(names.slice(0, kept)).toEqual(goldenIndexNames(name).slice(0, kept))
      expect(entriesOf(indexBytes(bench)).slice(0, -1)).toEqual(entriesOf(before))
      for (const [index, bytes] of before.slice(0, -1).entries())
        expect(bytesOf(bench, names[index] ?? '')).toEqual(bytes)
      const again = await bench.open(goldenOptions(expected))
      const found = await bench.clock.outcome(
        again.query({ topic: 'GoldenNormal', by: 'key', value: 'ours' }),
      )
      expect(found.records.map(({ physicalOffset }) => physicalOffset)).toEqual([offset])
    })

    test.each(['by a start that finds none', 'by dispatch'])('is built %s to the same bytes', async (how) => {
      const bench = new StoreBench()
      const expected = await installGolden(bench, name, /^index\//)
      const source = await bench.open(goldenOptions(expected))
      const ours = new StoreBench()
      const store = how === 'by dispatch' ? await replicaOf(ours, source, expected) : source
      const machine = how === 'by dispatch' ? ours : bench
      await machine.clock.outcome(store.close())
      const [built, wanted] = [indexBytes(machine), goldenIndex(name)]
      if (name === 'store-crash' || name === 'store-extra') expect(built).toEqual(wanted)
      if (name === 'store') {
        // Apache's recovery has indexed the last record of the second file once more; ours does not.
        expect(built.slice(0, 2)).toEqual(wanted.slice(0, 2))
        const [before, after] = [entriesOf(wanted.slice(0, 2)), entriesOf(wanted.slice(2))]
        const record = before.at(-1)?.split('@')[1] ?? ''
        const twice = before.filter((entry) => entry.endsWith(`@${record}`)).length
        expect(twice).toBeGreaterThan(0)
        expect(entriesOf(built)).toEqual([...before, ...after.slice(twice)])
      }
      if (name === 'store-5.3.3') {
        // That version does not index tags.
        const ourEntries = entriesOf(built)
        for (const entry of entriesOf(wanted)) expect(ourEntries).toContain(entry)
      }
    })
  },
)
