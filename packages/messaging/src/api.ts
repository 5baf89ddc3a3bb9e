import type { Host, LogRecord, ReceiptHandle } from '@tandemmq/codec'

/** Who calls, and how long they wait. */
export interface CallContext {
  /** Unique per client instance; leases of auto-renewed messages are bound to it. */
  readonly clientId: string
  /** Where the call came from: the born host of a message that names none. */
  readonly peer: Host
  /** `x-mq-language` and `x-mq-client-version` as sent; empty when absent. */
  readonly language: string
  readonly clientVersion: string
  /** When the caller gives up, on the monotonic clock, ms; absent: no limit. */
  readonly deadline?: number
  /** The serving epoch a gateway stamped the call with (rule 4.3); absent on a direct call. */
  readonly servingEpoch?: number
  /** The gateway does not know whether that epoch still holds: only who serves by the promise of all other replicas may answer (rule 4.6). */
  readonly onPromise?: boolean
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal
}

/** What kind of message it is; derived from its content, as Apache's proxy does. */
export type MessageType = 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION'

export interface OutgoingMessage {
  readonly topic: string
  readonly messageId: string
  readonly type: MessageType
  readonly body: Buffer
  readonly tag?: string
  readonly keys: readonly string[]
  readonly userProperties: ReadonlyMap<string, string>
  /** FIFO: chooses the queue. */
  readonly messageGroup?: string
  /** DELAY: wall clock, ms. */
  readonly deliveryTimestamp?: number
  readonly bornTimestamp: number
  readonly bornHost: Host
  /** The body is compressed (sysFlag 0x1). */
  readonly compressed: boolean
  readonly traceContext?: string
}

export type SendStatus =
  | 'OK'
  /** Stored, but … */
  | 'FLUSH_DISK_TIMEOUT'
  | 'FLUSH_SLAVE_TIMEOUT'

export interface SendReceipt {
  readonly status: SendStatus
  readonly messageId: string
  readonly queueId: number
  readonly queueOffset: number
  /** Position of the record in the log. */
  readonly offset: number
}

export type FilterExpression =
  | { readonly kind: 'all' }
  /** Exact tags, any of which matches. */
  | { readonly kind: 'tags'; readonly tags: ReadonlySet<string> }

export interface ReceiveRequest {
  readonly group: string
  readonly topic: string
  readonly filter: FilterExpression
  /** 1…32. */
  readonly batchSize: number
  /** How long what is delivered stays invisible; ignored with `autoRenew`. */
  readonly invisibleMs: number
  /** The broker keeps the lease alive while the client lives. */
  readonly autoRenew: boolean
  /** How long to wait when nothing is there. */
  readonly pollMs: number
  readonly attemptId?: string
}

export interface DeliveredMessage {
  /** As it lies in the log: a scheduled message that is served before it was put into its topic is in the timer queue (rule 5.6). */
  readonly record: LogRecord
  /** Decoded properties of the record, internal ones included. */
  readonly properties: ReadonlyMap<string, string>
  /** What the consumer sees as its topic. */
  readonly topic: string
  /** What it sees as queue and position, where these are not the record's: of the queue it will be put into, and below 0, where no other message of that queue is. */
  readonly place?: { readonly queueId: number; readonly queueOffset: number }
  readonly receiptHandle: string
  /** 1 = first. */
  readonly attempt: number
}

export interface ReceiveAnswer {
  readonly messages: readonly DeliveredMessage[]
  /** True when messages were there but none matched. */
  readonly filteredOnly: boolean
}

export interface AckEntry {
  readonly receiptHandle: string
  readonly messageId: string
}

export type AckStatus = 'OK' | 'RECEIPT_HANDLE_INVALID' | 'NOT_SERVING' | 'UNAVAILABLE'

/** The client-facing operations of one broker. Refusals are thrown as `BrokerError`. */
export interface MessagingApi {
  /**
   * Stores one message. Throws `TOPIC_NOT_FOUND`, `MESSAGE_ILLEGAL`, `NOT_WRITABLE`, `IN_SYNC_REPLICAS_NOT_ENOUGH` (nothing stored),
   * `SYSTEM_BUSY`. A message that is stored but not as safe as promised in time is a receipt whose status says so.
   */
  send(message: OutgoingMessage, context: CallContext): Promise<SendReceipt>
  /** Waits up to `pollMs`. Throws `NOT_SERVING` (fact `servingEpoch`), `TOPIC_NOT_FOUND`, `GROUP_NOT_FOUND`, `SYSTEM_BUSY`. */
  receive(request: ReceiveRequest, context: CallContext): Promise<ReceiveAnswer>
  /** One status per entry, in order. Throws `NOT_SERVING` for the whole call. */
  ack(
    group: string,
    topic: string,
    entries: readonly AckEntry[],
    context: CallContext,
  ): Promise<readonly AckStatus[]>
  /** Returns the new handle. `invisibleMs` 0 = visible at once. Throws `RECEIPT_HANDLE_INVALID`, `NOT_SERVING`. */
  changeInvisible(handle: string, invisibleMs: number, context: CallContext): Promise<string>
  /** Moves a message to `%DLQ%group`; idempotent. Refused retriably (`UNAVAILABLE`) where nothing can be written. */
  forwardToDeadLetter(handle: string, context: CallContext): Promise<void>
  /** The client is gone: what it holds under auto-renew becomes visible within a second. */
  clientGone(clientId: string, group: string): void
}

export type { ReceiptHandle }
