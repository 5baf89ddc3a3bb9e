import type { LogOffset, QueueOffset } from '@tandemmq/base'
import { encodeOffsetMessageId, type BatchElement, type Host } from '@tandemmq/codec'
import type { MessageToAppend } from './appender.ts'

/** Messages that a client sent together: to one queue, with one birth; each has a flag, a body and properties of its own. */
export interface BatchToAppend extends Pick<
  MessageToAppend,
  'topic' | 'queueId' | 'sysFlag' | 'bornTimestamp' | 'bornHost' | 'reconsumeTimes'
> {
  /** At least one; see `decodeMessageBatch`. */
  readonly messages: readonly BatchElement[]
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
