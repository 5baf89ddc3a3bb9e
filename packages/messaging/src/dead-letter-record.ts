import type { LogOffset, QueueOffset } from '@tandemmq/base'
import {
  decodeProperties,
  encodeOffsetMessageId,
  encodeProperties,
  propertyOf,
  type LogRecord,
} from '@tandemmq/codec'
import type { MessageToAppend } from './message-log.ts'
import { PropertyName } from './property-names.ts'

export const DEAD_LETTER_PREFIX = '%DLQ%'

/** Which record a dead letter is a copy of. */
export interface DeadLetterMark {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly physicalOffset: LogOffset
}

/**
 * The copy of a message for `%DLQ%<group>`, with the properties that Apache gives it.
 * @param deliveries how often it was delivered
 */
export function deadLetterRecord(
  group: string,
  record: LogRecord,
  queueOffset: QueueOffset,
  deliveries: number,
): MessageToAppend {
  const properties = decodeProperties(record.properties)
  properties.delete(PropertyName.scheduled)
  if (!properties.has(PropertyName.retryTopic)) properties.set(PropertyName.retryTopic, record.topic)
  if (!properties.has(PropertyName.originMessageId)) {
    const id = encodeOffsetMessageId(record.storeHost, record.physicalOffset)
    properties.set(PropertyName.originMessageId, id)
  }
  properties.set(PropertyName.delay, '0')
  properties.set(PropertyName.wait, 'false')
  const { topic, queueId, physicalOffset } = record
  properties.set(PropertyName.deadLetterOf, deadLetterMark({ topic, queueId, queueOffset, physicalOffset }))
  return {
    topic: DEAD_LETTER_PREFIX + group,
    queueId: 0,
    flag: record.flag,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestamp,
    bornHost: record.bornHost,
    reconsumeTimes: record.reconsumeTimes + deliveries,
    preparedTransactionOffset: 0,
    body: record.body,
    properties: encodeProperties(properties),
  }
}

export function deadLetterMark({ topic, queueId, queueOffset, physicalOffset }: DeadLetterMark): string {
  return `${queueId}@${queueOffset}@${physicalOffset}@${topic}`
}

/** The mark of a dead letter made here; `undefined` for every other record. */
export function deadLetterMarkOf(properties: string): DeadLetterMark | undefined {
  if (!properties.includes(PropertyName.deadLetterOf)) return undefined
  const text = propertyOf(properties, PropertyName.deadLetterOf) ?? ''
  const match = /^(\d{1,10})@(\d{1,16})@(\d{1,16})@(.+)$/.exec(text)
  if (!match) return undefined
  const [, queueId, queueOffset, physicalOffset, topic = ''] = match
  return {
    topic,
    queueId: Number(queueId),
    queueOffset: Number(queueOffset),
    physicalOffset: Number(physicalOffset),
  }
}
