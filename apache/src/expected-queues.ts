import {
  SysFlag,
  compressionOf,
  decodeProperties,
  encodeOffsetMessageId,
  transactionTypeOf,
  type LogRecord,
} from '@tandemmq/codec'
import { inflateSync, zstdDecompressSync } from 'node:zlib'
import type { SeenMessage } from './apache-client.ts'

/** What a client must see of a queue, by its records in the log. */
export interface ExpectedQueue {
  readonly topic: string
  readonly queueId: number
  readonly messages: readonly SeenMessage[]
}

/** The queues that the log's records make, in the order of their first records. */
export function expectedQueues(records: readonly LogRecord[]): readonly ExpectedQueue[] {
  const queues = new Map<string, { topic: string; queueId: number; messages: SeenMessage[] }>()
  for (const record of records) {
    const type = transactionTypeOf(record.sysFlag)
    if (type === 'prepared' || type === 'rollback') continue
    const { topic, queueId } = record
    const key = `${topic}-${queueId}`
    const queue = queues.get(key) ?? { topic, queueId, messages: [] }
    queues.set(key, queue)
    queue.messages.push(seenAs(record))
  }
  return [...queues.values()]
}

/** A record in the form in which Apache's client shows it. */
export function seenAs(record: LogRecord): SeenMessage {
  const properties = decodeProperties(record.properties)
  const optional = [
    ['uniqueKey', properties.get('UNIQ_KEY')],
    ['tags', properties.get('TAGS')],
    ['keys', properties.get('KEYS')],
  ].filter(([, value]) => value !== undefined)
  return {
    topic: record.topic,
    queueId: record.queueId,
    queueOffset: record.queueOffset,
    physicalOffset: record.physicalOffset,
    size: record.size,
    bodyCrc: record.bodyCrc,
    flag: record.flag,
    sysFlag: record.sysFlag & ~SysFlag.compressed,
    bornTimestamp: record.bornTimestamp,
    storeTimestamp: record.storeTimestamp,
    reconsumeTimes: record.reconsumeTimes,
    messageId: encodeOffsetMessageId(record.storeHost, record.physicalOffset),
    ...Object.fromEntries(optional),
    properties: Object.fromEntries(properties),
    body: plainBody(record).toString('base64'),
  }
}

/** Apache's client hands out bodies decompressed, and takes the flag that says so away. */
function plainBody({ body, sysFlag }: LogRecord): Buffer {
  const compression = compressionOf(sysFlag)
  if (compression === 'zlib') return inflateSync(body)
  return compression === 'zstd' ? zstdDecompressSync(body) : body
}
