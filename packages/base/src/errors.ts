/**
 * Every operating error of the broker. What each one looks like on the wire is decided once, at the edge
 * (wire-grpc maps codes to `apache.rocketmq.v2` statuses).
 */
export type ErrorCode =
  // storage
  | 'LOG_CORRUPT'
  | 'LOG_FENCED'
  | 'LOG_CLOSED'
  | 'OFFSET_EXPIRED'
  | 'STORE_LOCKED'
  | 'STORE_FOREIGN'
  | 'STATE_FILE_CORRUPT'
  | 'NOT_WRITABLE'
  | 'MESSAGE_ILLEGAL'
  | 'DISK_FULL'
  // sending
  | 'TOPIC_NOT_FOUND'
  | 'IN_SYNC_REPLICAS_NOT_ENOUGH'
  | 'FLUSH_DISK_TIMEOUT'
  | 'FLUSH_SLAVE_TIMEOUT'
  | 'NO_WRITABLE_BROKER'
  | 'FATE_UNKNOWN'
  // receiving
  | 'GROUP_NOT_FOUND'
  | 'RECEIPT_HANDLE_INVALID'
  | 'NOT_SERVING'
  | 'NO_READABLE_BROKER'
  // cluster
  | 'PEER_REFUSED'
  | 'PROMOTION_REFUSED'
  | 'SET_NOT_FOUND'
  | 'PROTOCOL_VIOLATION'
  // general
  | 'ILLEGAL_ARGUMENT'
  | 'CONFIG_INVALID'
  | 'SYSTEM_BUSY'
  | 'UNAVAILABLE'

export interface BrokerErrorOptions {
  readonly facts?: Readonly<Record<string, string | number | boolean>>
  readonly cause?: unknown
}

/** An operating error: expected, handled, and mapped exactly once at the edge. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: ErrorCode
  /** Structured facts for logs and peers. Never message bodies, never credentials. */
  readonly facts: Readonly<Record<string, string | number | boolean>>

  constructor(code: ErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.facts = options.facts ?? {}
  }
}

/** The text of anything that was thrown, for a log line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
