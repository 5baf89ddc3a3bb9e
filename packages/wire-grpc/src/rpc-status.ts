import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { BrokerError, messageOf, type ErrorCode } from '@tandemmq/base'

/** Trailer in which one of our servers says which error of the catalogue it was. */
const CODE_TRAILER = 'tandemmq-code'

/** What a server ends a call with. */
export interface RpcFailure {
  readonly code: status
  readonly details: string
  readonly metadata: Metadata
}

/** Codes that may come back over the wire. Typed so that a new error code is decided on here. */
const STATUS_OF: Readonly<Record<ErrorCode, status>> = {
  LOG_CORRUPT: status.DATA_LOSS,
  LOG_FENCED: status.FAILED_PRECONDITION,
  LOG_CLOSED: status.UNAVAILABLE,
  OFFSET_EXPIRED: status.OUT_OF_RANGE,
  STORE_LOCKED: status.FAILED_PRECONDITION,
  STORE_FOREIGN: status.FAILED_PRECONDITION,
  STATE_FILE_CORRUPT: status.DATA_LOSS,
  NOT_WRITABLE: status.FAILED_PRECONDITION,
  MESSAGE_ILLEGAL: status.INVALID_ARGUMENT,
  DISK_FULL: status.FAILED_PRECONDITION,
  TOPIC_NOT_FOUND: status.NOT_FOUND,
  IN_SYNC_REPLICAS_NOT_ENOUGH: status.FAILED_PRECONDITION,
  FLUSH_DISK_TIMEOUT: status.DEADLINE_EXCEEDED,
  FLUSH_SLAVE_TIMEOUT: status.DEADLINE_EXCEEDED,
  NO_WRITABLE_BROKER: status.UNAVAILABLE,
  FATE_UNKNOWN: status.UNKNOWN,
  GROUP_NOT_FOUND: status.NOT_FOUND,
  RECEIPT_HANDLE_INVALID: status.INVALID_ARGUMENT,
  NOT_SERVING: status.FAILED_PRECONDITION,
  NO_READABLE_BROKER: status.UNAVAILABLE,
  PEER_REFUSED: status.FAILED_PRECONDITION,
  PROMOTION_REFUSED: status.FAILED_PRECONDITION,
  SET_NOT_FOUND: status.NOT_FOUND,
  PROTOCOL_VIOLATION: status.INVALID_ARGUMENT,
  ILLEGAL_ARGUMENT: status.INVALID_ARGUMENT,
  CONFIG_INVALID: status.FAILED_PRECONDITION,
  SYSTEM_BUSY: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
}

/** What to end a call with for what was thrown. Anything but an operating error is INTERNAL, without its words. */
export function failureOf(thrown: unknown): RpcFailure {
  if (!(thrown instanceof BrokerError)) {
    return { code: status.INTERNAL, details: 'internal error', metadata: new Metadata() }
  }
  const isSecretWrong = thrown.code === 'PEER_REFUSED' && thrown.facts['unauthenticated'] === true
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, thrown.code)
  return {
    code: isSecretWrong ? status.UNAUTHENTICATED : STATUS_OF[thrown.code],
    details: thrown.message,
    metadata,
  }
}

/** What a call of ours ended with, as the error it was at the server; without such a word, by the kind of the status. */
export function errorOf(failure: unknown): BrokerError {
  if (failure instanceof BrokerError) return failure
  if (!isServiceError(failure)) return new BrokerError('UNAVAILABLE', messageOf(failure), { cause: failure })
  return new BrokerError(codeOf(failure), plainWords(failure.details), { cause: failure })
}

/** grpc-js tells of a connection that does not come about in words for its own developers: what the system said is enough. */
function plainWords(details: string): string {
  const [, failure = details] =
    /^No connection established\. Last error: (?:Error: )?(.+)\. Resolution note: /s.exec(details) ?? []
  const reason = failure.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '')
  if (reason === 'null' || reason.startsWith('Failed to connect')) return 'no connection comes about'
  const [, address] = /^connect ECONNREFUSED (\S+)$/.exec(reason) ?? []
  return address === undefined ? reason : `nobody listens at ${address}`
}

function codeOf(failure: ServiceError): ErrorCode {
  const [stated] = failure.metadata?.get(CODE_TRAILER) ?? []
  if (isErrorCode(stated)) return stated
  switch (failure.code) {
    case status.RESOURCE_EXHAUSTED:
      return 'SYSTEM_BUSY'
    case status.UNAUTHENTICATED:
    case status.UNIMPLEMENTED: // A peer of another kind, or an older one.
      return 'PEER_REFUSED'
    case status.INVALID_ARGUMENT:
    case status.INTERNAL:
      return 'PROTOCOL_VIOLATION'
    default:
      return 'UNAVAILABLE'
  }
}

/** Whether a peer's word is a code of our catalogue. */
export function isErrorCode(word: unknown): word is ErrorCode {
  return typeof word === 'string' && Object.hasOwn(STATUS_OF, word)
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown
}
