import type { LogOffset, QueueOffset } from '@tandemmq/base'
import {
  INNER_BASE,
  INNER_NUM,
  SysFlag,
  propertyOf,
  tagsCodeOf,
  transactionTypeOf,
  type LogRecord,
} from '@tandemmq/codec'
import type { IndexedRecord } from './index-of-keys.ts'

/** A record that has become readable by its queue offset. */
export interface Arrival {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly offset: LogOffset
  readonly size: number
  readonly tagsCode: bigint
  /** The master's clock, ms. */
  readonly storeTimestamp: number
  /** Raw text, see `decodeProperties`. */
  readonly properties: string
  /** The record is an inner batch: it holds {@link messages}, with consecutive queue offsets from {@link queueOffset} on. */
  readonly isInnerBatch: boolean
  /** 1 for a record that is a message itself. */
  readonly messages: number
  /** Nothing more of this dispatch batch follows: now is the time to answer whoever waited. */
  readonly batchEnd: boolean
}

/** What of a record dispatch goes by. */
export type QueuedFields = Pick<
  LogRecord,
  'topic' | 'queueId' | 'queueOffset' | 'sysFlag' | 'storeTimestamp' | 'properties'
>

/** The arrival a record makes; `undefined` if it belongs into no consume queue. */
export function arrivalOf(record: QueuedFields, offset: LogOffset, size: number): Arrival | undefined {
  if (!isQueued(record.sysFlag)) return undefined
  const isInnerBatch = (record.sysFlag & SysFlag.innerBatch) !== 0
  return {
    topic: record.topic,
    queueId: record.queueId,
    queueOffset: isInnerBatch
      ? numberIn(record.properties, INNER_BASE, record.queueOffset)
      : record.queueOffset,
    offset,
    size,
    tagsCode: tagsCodeOfRecord(record),
    storeTimestamp: record.storeTimestamp,
    properties: record.properties,
    isInnerBatch,
    messages: isInnerBatch ? Math.max(1, numberIn(record.properties, INNER_NUM, 1)) : 1,
    batchEnd: false,
  }
}

/** What a record is found by; `undefined`: rollbacks are not indexed, halves are (RocketMQ CommitLogDispatcherBuildIndex). */
export function indexedOf(record: QueuedFields, offset: LogOffset): IndexedRecord | undefined {
  const { topic, properties, sysFlag, storeTimestamp } = record
  return transactionTypeOf(sysFlag) === 'rollback' ? undefined : { topic, properties, offset, storeTimestamp }
}

/** Halves and rollbacks of transactions are in the log only (RocketMQ CommitLogDispatcherBuildConsumeQueue). */
export function isQueued(sysFlag: number): boolean {
  const transaction = transactionTypeOf(sysFlag)
  return transaction === 'none' || transaction === 'commit'
}

/** What a property says, if that can be a place or a count in a queue. */
function numberIn(properties: string, name: string, otherwise: number): number {
  const text = propertyOf(properties, name) ?? ''
  const isCount = name === INNER_NUM && Number(text) > BATCH_MESSAGES_MAX
  return /^\d{1,15}$/.test(text) && !isCount ? Number(text) : otherwise
}

/** The count in a batch queue's unit is an i16. */
const BATCH_MESSAGES_MAX = 32_767

/** Messages of a delay level wait here; the tags code of their units is the due time. */
export const DELAY_LEVEL_TOPIC = 'SCHEDULE_TOPIC_XXXX'

/** Apache's default delay levels 1…18 (messageDelayLevel), ms. */
const delayLevelsMs = [
  1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
].map((seconds) => seconds * 1000)

/** Delay of a level that does not exist, ms. */
const UNKNOWN_LEVEL_MS = 1000

/** In the topic of delay levels the unit holds the due time instead of a tag's hash. */
export function tagsCodeOfRecord(
  record: Pick<QueuedFields, 'topic' | 'storeTimestamp' | 'properties'>,
): bigint {
  if (record.topic === DELAY_LEVEL_TOPIC) {
    const level = Number.parseInt(propertyOf(record.properties, 'DELAY') ?? '0', 10)
    if (level > 0) {
      const delayMs = delayLevelsMs[Math.min(level, delayLevelsMs.length) - 1] ?? UNKNOWN_LEVEL_MS
      return BigInt(record.storeTimestamp + delayMs)
    }
  }
  return tagsCodeOf(propertyOf(record.properties, 'TAGS'))
}
