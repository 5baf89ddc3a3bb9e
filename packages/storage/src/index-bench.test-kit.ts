import { encodeProperties } from '@tandemmq/codec'
import type { MessageStore, MessageToAppend } from './index.ts'
import { message, type StoreBench } from './store-bench.test-kit.ts'

export const INDEX = '/data/store/index'

/** Small files: a few records fill one. */
export const smallIndex = { slots: 7, entries: 20 }

/** A message with a unique key, two keys, of which one is shared by three messages, and a tag. */
export function keyed(n: number): MessageToAppend {
  return {
    ...message(`body ${n} ${'k'.repeat((n * 37) % 300)}`),
    properties: encodeProperties([
      ['KEYS', `key-${n} shared-${Math.floor(n / 3)}`],
      ['UNIQ_KEY', `id-${n}`],
      ['TAGS', n % 2 === 0 ? 'even' : 'odd'],
    ]),
  }
}

/** All bytes of all index files, oldest first. */
export function indexBytes(bench: StoreBench): string[] {
  return bench.disk.list(INDEX).map((name) => {
    const file = bench.disk.open(`${INDEX}/${name}`, 'read')
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    file.close()
    return bytes.toString('hex')
  })
}

/** Bodies of what a query finds, without their padding. */
export async function found(
  bench: StoreBench,
  store: MessageStore,
  by: 'key' | 'uniqueKey' | 'tag',
  value: string,
  range: {
    readonly begin?: number
    readonly end?: number
    readonly max?: number
    readonly upTo?: number
  } = {},
): Promise<string[]> {
  const { records } = await bench.clock.outcome(store.query({ topic: 'orders', by, value, ...range }))
  return records.map(({ body }) => body.toString().split(' k')[0]?.trim() ?? '')
}

/** Closes the store, and compares its index with one that is built from the log alone. */
export async function expectIndexOfLog(
  bench: StoreBench,
  store: MessageStore,
  compare: (built: string[], kept: string[]) => void,
): Promise<MessageStore> {
  await bench.clock.outcome(store.close())
  const kept = indexBytes(bench)
  bench.disk.remove(INDEX)
  const again = await bench.open()
  await bench.clock.outcome(again.close())
  compare(indexBytes(bench), kept)
  return bench.open()
}
