import { deflateSync, zstdCompressSync } from 'node:zlib'
import { SysFlag, encodeProperties } from '@tandemmq/codec'
import type { MessageStore, MessageToAppend } from '@tandemmq/storage'

const plain: MessageToAppend = {
  topic: 'Kinds',
  queueId: 0,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  bornHost: { ip: '127.0.0.1', port: 54321 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.from('hello'),
  properties: encodeProperties([
    ['TAGS', 'TagA'],
    ['KEYS', 'k1 k2'],
    ['WAIT', 'true'],
  ]),
}
const text = Buffer.from('the same text, over and over; '.repeat(50))
const LONG_TOPIC = `%RETRY%${'g'.repeat(200)}`

/** Every form a record can have, as differences from a plain one. */
const kinds: readonly Partial<MessageToAppend>[] = [
  {},
  { topic: 't'.repeat(127) },
  { topic: LONG_TOPIC },
  { topic: LONG_TOPIC, queueId: 7 },
  { bornHost: { ip: '2001:db8::1', port: 65535 } },
  { bornHost: { ip: '::1', port: 1 }, topic: LONG_TOPIC },
  { body: deflateSync(text), sysFlag: SysFlag.compressed },
  { body: deflateSync(text), sysFlag: SysFlag.compressed | 0x300 },
  { body: zstdCompressSync(text), sysFlag: SysFlag.compressed | 0x200 },
  { sysFlag: SysFlag.multiTags },
  { sysFlag: SysFlag.transactionPrepared },
  { sysFlag: SysFlag.transactionCommit, preparedTransactionOffset: 125 },
  { sysFlag: SysFlag.transactionRollback },
  { flag: -1, reconsumeTimes: 16 },
  { flag: 2 ** 31 - 1, bornTimestamp: 0 },
  { properties: '' },
  { properties: encodeProperties([['odd', '= \n\u{1F680}蓝']]) },
  // As old clients leave it: without the last separator.
  { properties: 'TAGS\u0001TagB\u0002KEYS\u0001k3' },
  { properties: encodeProperties([['long', 'x'.repeat(32_000)]]) },
  { body: Buffer.alloc(0) },
  { body: Buffer.alloc(300_000, 7), queueId: 3 },
]

/** Topics of these records, as Apache must know them to serve them. */
export const kindTopics: readonly string[] = [...new Set(kinds.map(({ topic }) => topic ?? plain.topic))]

let appended = 0

/** Appends every kind `rounds` times, so that files end behind many of them. */
export function appendEveryKind(store: MessageStore, rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) {
      appended += 1
      const properties =
        kind.properties ?? `${plain.properties}UNIQ_KEY\u0001${appended.toString(16).padStart(32, '0')}\u0002`
      store.append({ ...plain, ...kind, properties })
    }
  }
}

/** A record that would leave exactly `left` bytes of a file. */
export function appendUpTo(store: MessageStore, left: number): void {
  store.append(plain) // Where a file is full, this one goes to the next.
  const overhead = 91 + plain.topic.length + Buffer.byteLength(plain.properties)
  const room = store.segmentBytes - (store.end % store.segmentBytes)
  store.append({ ...plain, body: Buffer.alloc(room - overhead - left, left) })
}
