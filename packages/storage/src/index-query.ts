import { BrokerError, unreachable, type LogOffset } from '@tandemmq/base'
import { indexKeyHash, propertyOf, type LogRecord } from '@tandemmq/codec'
import type { IndexOfKeys } from './index-of-keys.ts'

/** Which records of a topic to find. */
export interface MessageQuery {
  readonly topic: string
  /** What the value is: one of a message's KEYS, its UNIQ_KEY (the client's message id), or its tag. */
  readonly by: 'key' | 'uniqueKey' | 'tag'
  readonly value: string
  /** Earliest and latest store time, ms, both included. Default: all. */
  readonly begin?: number
  readonly end?: number
  /** At most this many, the newest. 1 … 1,000; default 64 as in Apache (maxMsgsNumBatch). */
  readonly max?: number
  /** Only records that end at or below this position, for instance what consumers may see. Default: all dispatched. */
  readonly upTo?: LogOffset
}

export interface FoundMessages {
  /** Newest first. */
  readonly records: readonly LogRecord[]
  /** How far the index leads; `undefined` as long as it is empty. */
  readonly newest: { readonly offset: LogOffset; readonly storeTimestamp: number } | undefined
}

const QUERY_MAX_DEFAULT = 64
const QUERY_MAX = 1000

/** See `MessageStore.query`. `readable`: where the records lie that can be read. */
export async function findMessages(
  index: IndexOfKeys | undefined,
  query: MessageQuery,
  readable: { from(): LogOffset; readonly to: LogOffset },
  recordAt: (offset: LogOffset) => LogRecord,
): Promise<FoundMessages> {
  const { topic, by, value, begin = 0, end = Infinity, max = QUERY_MAX_DEFAULT, upTo = Infinity } = query
  if (!Number.isInteger(max) || max < 1 || max > QUERY_MAX) {
    throw new BrokerError('ILLEGAL_ARGUMENT', `max must be an integer from 1 to ${QUERY_MAX}, not ${max}`)
  }
  if (topic === '' || value === '') {
    throw new BrokerError('ILLEGAL_ARGUMENT', 'a query needs a topic and a value')
  }
  if (index === undefined) {
    throw new BrokerError('NOT_SERVING', 'this store keeps no index of keys (messageIndexEnable=false)')
  }
  const limit = Math.min(upTo, readable.to)
  const keyHash = indexKeyHash(by === 'tag' ? `${topic}#T#${value}` : `${topic}#${value}`)
  const records: LogRecord[] = []
  for await (const offset of index.search({ keyHash, begin, end })) {
    if (offset >= limit || offset < readable.from()) continue
    const record = recordAt(offset)
    if (offset + record.size > limit || !answersQuery(record, query)) continue
    records.push(record)
    if (records.length >= max) break
  }
  return { records, newest: index.newest }
}

/** Whether a record is what the query asks for, and not only of the same hash. */
function answersQuery(record: LogRecord, query: MessageQuery): boolean {
  const { topic, by, value, begin = 0, end = Infinity } = query
  if (record.topic !== topic || record.storeTimestamp < begin || record.storeTimestamp > end) return false
  switch (by) {
    case 'key':
      return (propertyOf(record.properties, 'KEYS')?.split(' ') ?? []).includes(value)
    case 'uniqueKey':
      return propertyOf(record.properties, 'UNIQ_KEY') === value
    case 'tag':
      return propertyOf(record.properties, 'TAGS') === value
    default:
      return unreachable(by)
  }
}
