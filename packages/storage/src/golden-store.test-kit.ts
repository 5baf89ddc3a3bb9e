import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { StoreBench } from './store-bench.test-kit.ts'

/** The parts of `expected.json` that concern the log and its queues; see test/golden/README.md. */
export interface ExpectedStore {
  readonly segmentSize: number
  readonly consumeQueueFileSize: number
  readonly commitlogEnd: number
  readonly commitlog: readonly {
    readonly kind: string
    readonly physicalOffset: number
    readonly size: number
    readonly topic: string
    readonly queueId: number
    readonly queueOffset: number
    readonly bodyBase64: string
    readonly msgId: string
    readonly sysFlag: number
    readonly properties: Readonly<Record<string, string>>
    readonly propertiesString: string
    readonly storeTimestamp: number
  }[]
  readonly consumequeue: Readonly<Record<string, readonly Unit[]>>
  readonly batchConsumeQueueFileSize: number
  readonly batchconsumequeue: Readonly<Record<string, readonly BatchUnit[]>>
  readonly consumequeueExt: Readonly<Record<string, readonly ExtensionUnit[]>>
  readonly index: readonly {
    readonly file: string
    readonly entries: readonly { readonly keyHash: number; readonly phyOffset: number }[]
  }[]
}

interface Unit {
  readonly index: number
  readonly offset: number
  readonly size: number
  readonly tagsCode: string
}

interface BatchUnit {
  readonly offset: number
  readonly size: number
  readonly tagsCode: string
  readonly msgBaseOffset: number
  readonly batchSize: number
}

interface ExtensionUnit {
  readonly extOffset: number
  readonly tagsCode: string
  readonly msgStoreTime: number
  readonly bitMapHex: string
}

interface Manifest {
  readonly files: readonly { readonly path: string; readonly size: number; readonly stored: string }[]
}

/** Names of the index files of a golden store, oldest first. */
export function goldenIndexNames(name: string): string[] {
  const manifest: Manifest = JSON.parse(golden(name, 'manifest.json').toString())
  return manifest.files
    .map(({ path }) => path)
    .filter((path) => /^index\/\d/.test(path))
    .map((path) => path.slice(6))
    .toSorted()
}

/** A file of a golden store as it was. */
export function goldenFile(name: string, path: string): Buffer {
  const manifest: Manifest = JSON.parse(golden(name, 'manifest.json').toString())
  const found = manifest.files.find((file) => file.path === path)
  if (found === undefined) throw new Error(`${name} has no ${path}`)
  const bytes = Buffer.alloc(found.size)
  bytes.set(
    found.stored === 'gzip' ? gunzipSync(golden(name, `files/${path}.gz`)) : golden(name, `files/${path}`),
  )
  return bytes
}

function golden(name: string, path: string): Buffer {
  return readFileSync(new URL(`../../../test/golden/${name}/${path.replaceAll('%', '%25')}`, import.meta.url))
}

/** Puts a store that a genuine Apache wrote onto the bench's disk. */
export async function installGolden(
  bench: StoreBench,
  name: string,
  without?: RegExp,
): Promise<ExpectedStore> {
  const manifest: Manifest = JSON.parse(golden(name, 'manifest.json').toString())
  for (const { path, size } of manifest.files) {
    const isOurs = /^(commitlog|consumequeue|batchconsumequeue|index|checkpoint|abort)/.test(path)
    if (!isOurs || path.endsWith('/') || without?.test(path) === true) continue
    const at = `/data/store/${path}`
    const packed = goldenFile(name, path)
    bench.disk.makeDirectory(at.slice(0, at.lastIndexOf('/')))
    const file = bench.disk.open(at, 'create')
    file.write(packed, 0)
    file.truncate(size)
    await bench.clock.outcome(file.dataSync())
    file.close()
  }
  const expected: ExpectedStore = JSON.parse(golden(name, 'expected.json').toString())
  return expected
}

export function goldenOptions(expected: ExpectedStore): Parameters<StoreBench['open']>[0] {
  return {
    segmentBytes: expected.segmentSize,
    consumeQueueFileBytes: expected.consumeQueueFileSize,
    batchQueueFileBytes: expected.batchConsumeQueueFileSize,
    maxMessageBytes: 4 * 1024 * 1024,
    index: { slots: 100, entries: 120 },
  }
}

/** The tags code that a unit stands for: its own, or that of the extension unit it holds the address of. */
export function trueTagsCode(expected: ExpectedStore, queue: string, tagsCode: string): bigint {
  const extOffset = BigInt(tagsCode) + 2n ** 63n
  const extension = expected.consumequeueExt[queue]?.find((unit) => BigInt(unit.extOffset) === extOffset)
  return BigInt(extension?.tagsCode ?? tagsCode)
}
