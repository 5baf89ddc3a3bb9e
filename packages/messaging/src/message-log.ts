import type { BrokerError, LogOffset, QueueOffset } from '@tandemmq/base'
import type { ConsumeQueueUnit, Host, LogRecord } from '@tandemmq/codec'

/**
 * What the writer of a message decides; the log adds offsets, store time and store host. Messaging's own word, as all of this port: it knows no store, and the
 * compiler holds the store's type of that name against this one where the broker joins the two.
 */
export interface MessageToAppend {
  readonly topic: string
  readonly queueId: number
  readonly flag: number
  readonly sysFlag: number
  /** The producer's clock, ms. */
  readonly bornTimestamp: number
  readonly bornHost: Host
  readonly reconsumeTimes: number
  readonly preparedTransactionOffset: number
  readonly body: Buffer
  /** Raw text, as in the record. */
  readonly properties: string
}

/** Where a message came to lie. */
export interface Appended {
  readonly offset: LogOffset
  readonly size: number
  /** `offset + size`: what has to become durable and visible. */
  readonly end: LogOffset
  readonly queueOffset: QueueOffset
  /** ms. */
  readonly storeTimestamp: number
}

/** One consume queue. Grows at `maxOffset`; `minOffset` moves up with retention. */
export interface QueueView {
  readonly minOffset: QueueOffset
  /** One past the newest. */
  readonly maxOffset: QueueOffset
  /** `undefined` outside of the bounds, and at a position that the queue never had. */
  unit(queueOffset: QueueOffset): ConsumeQueueUnit | undefined
  /** Consecutive units from `queueOffset` on, in one read; possibly fewer than there are. */
  units(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[]
}

/** Where a record lies, as a queue's unit says it. */
export interface RecordPlace {
  readonly offset: LogOffset
  /** Bytes. */
  readonly size: number
}

/** A record has reached its consume queue. */
export interface Arrival {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly offset: LogOffset
  readonly size: number
  /** Raw text, as in the record. */
  readonly properties: string
}

/** The store, as far as messaging needs it. */
export interface MessageLog {
  readonly minOffset: LogOffset
  readonly end: LogOffset
  /** Everything below has reached its consume queue. */
  readonly dispatched: {
    readonly at: LogOffset
    reached(until: LogOffset, signal?: AbortSignal): Promise<void>
  }
  /** Synchronous: takes the queue offset and writes. Throws `MESSAGE_ILLEGAL`, `NOT_WRITABLE`, `LOG_FENCED`, `DISK_FULL`. */
  append(message: MessageToAppend): Appended
  /** As {@link append} for each, in their order, with few writes: a message that cannot be appended has its error as outcome. */
  appendAll(messages: readonly MessageToAppend[]): readonly (Appended | BrokerError)[]
  /** Of a record that holds several messages the one of `queueOffset`. */
  record(offset: LogOffset, size?: number, queueOffset?: QueueOffset): LogRecord
  /** Whether {@link record} can give it without waiting for the disk, and everybody else with it. */
  isInMemory(place: RecordPlace): boolean
  /**
   * Brings records into memory, off the event loop, the first ones of the log at least. Resolves with those that were tried; an error shows when
   * {@link record} reads it.
   */
  warm(places: readonly RecordPlace[]): Promise<readonly RecordPlace[]>
  /** The epoch in which the byte at `offset` was written; past the end: the last one. */
  epochAt(offset: LogOffset): number
  /** `undefined`: the queue never held a message. */
  queue(topic: string, queueId: number): QueueView | undefined
  onDispatched(listener: (arrival: Arrival) => void): () => void
}

/** How far consumers may read (moves forward only): a record is visible once its last byte lies below. */
export interface VisibleEnd {
  readonly at: LogOffset
  onAdvance(listener: (at: LogOffset) => void): () => void
}
