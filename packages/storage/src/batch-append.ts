import { BrokerError, type LogOffset, type QueueOffset } from '@tandemmq/base'
import {
  INNER_BATCH_FLAGS,
  encodeMessageBatch,
  encodeOffsetMessageId,
  innerBatchProperties,
  propertyOf,
  type BatchElement,
  type Host,
} from '@tandemmq/codec'
import { isLightQueue } from './light-queues.ts'
import type { MessageToAppend } from './message-to-append.ts'

/** Messages that a client sent together: to one queue, with one birth; each has a flag, a body and properties of its own. */
export interface BatchToAppend extends Pick<
  MessageToAppend,
  'topic' | 'queueId' | 'sysFlag' | 'bornTimestamp' | 'bornHost' | 'reconsumeTimes'
> {
  /** At least one; see `decodeMessageBatch`. */
  readonly messages: readonly BatchElement[]
  /** Of the batch itself, raw text. In a batch topic they say by UNIQ_KEY that it is to become one record; else they are not stored. */
  readonly properties?: string
}

/** The count in a batch queue's unit is an i16. */
const INNER_MESSAGES_MAX = 32_767

/**
 * What of a batch becomes records, its first message having the queue offset `base`. In a batch topic it is one with all messages, if the batch has a
 * key of its own to tell it by (RocketMQ SendMessageProcessor.sendBatchMessage).
 */
export function elementsOf(
  { topic, sysFlag, messages, properties }: BatchToAppend,
  base: QueueOffset,
  isBatchTopic: (topic: string) => boolean,
): { readonly sysFlag: number; readonly elements: readonly BatchElement[] } {
  const isInner =
    properties !== undefined &&
    isBatchTopic(topic) &&
    !isLightQueue(topic) &&
    propertyOf(properties, 'UNIQ_KEY') !== undefined
  if (!isInner) return { sysFlag, elements: messages }
  if (messages.length > INNER_MESSAGES_MAX) {
    throw new BrokerError('MESSAGE_ILLEGAL', 'a record cannot hold so many messages', {
      facts: { messages: messages.length, max: INNER_MESSAGES_MAX },
    })
  }
  const whole = {
    flag: 0,
    body: encodeMessageBatch(messages),
    properties: innerBatchProperties(properties, messages.length, base),
  }
  return { sysFlag: sysFlag | INNER_BATCH_FLAGS, elements: [whole] }
}

/** Where the messages of a batch lie: next to each other, in their order. */
export interface AppendedBatch {
  /** Of the first message. */
  readonly offset: LogOffset
  /** Of all messages, bytes. */
  readonly size: number
  /** Position to wait for: everything of the batch is below. */
  readonly end: LogOffset
  /** Of the first message; the others follow one by one. */
  readonly queueOffset: QueueOffset
  /** ms. */
  readonly storeTimestamp: number
  /** Where each message begins. */
  readonly offsets: readonly LogOffset[]
}

/** The offset message ids of a batch as Apache answers a send: joined by commas. */
export function offsetMessageIds(storeHost: Host, { offsets }: Pick<AppendedBatch, 'offsets'>): string {
  return offsets.map((offset) => encodeOffsetMessageId(storeHost, offset)).join()
}
