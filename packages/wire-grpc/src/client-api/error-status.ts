import { BrokerError, type ErrorCode } from '@tandemmq/base'
import type { MessageRule } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { topicNotFound } from './resource-names.ts'
import { StatusError } from './status-error.ts'

const { Code } = rocketmq

/**
 * What each operating error looks like to a client. Everything about the cluster is a 5xxxx: official clients try again on those.
 * A new error code does not compile without a row here.
 */
const CODE_OF: Readonly<Record<ErrorCode, rocketmq.Code>> = {
  LOG_CORRUPT: Code.INTERNAL_SERVER_ERROR,
  LOG_FENCED: Code.INTERNAL_SERVER_ERROR,
  LOG_CLOSED: Code.INTERNAL_SERVER_ERROR,
  OFFSET_EXPIRED: Code.ILLEGAL_OFFSET,
  STORE_LOCKED: Code.INTERNAL_SERVER_ERROR,
  STORE_FOREIGN: Code.INTERNAL_SERVER_ERROR,
  STATE_FILE_CORRUPT: Code.INTERNAL_SERVER_ERROR,
  NOT_WRITABLE: Code.INTERNAL_SERVER_ERROR,
  MESSAGE_ILLEGAL: Code.BAD_REQUEST,
  DISK_FULL: Code.INTERNAL_SERVER_ERROR,
  TOPIC_NOT_FOUND: Code.TOPIC_NOT_FOUND,
  IN_SYNC_REPLICAS_NOT_ENOUGH: Code.HA_NOT_AVAILABLE,
  FLUSH_DISK_TIMEOUT: Code.MASTER_PERSISTENCE_TIMEOUT,
  FLUSH_SLAVE_TIMEOUT: Code.SLAVE_PERSISTENCE_TIMEOUT,
  NO_WRITABLE_BROKER: Code.HA_NOT_AVAILABLE,
  FATE_UNKNOWN: Code.PROXY_TIMEOUT,
  GROUP_NOT_FOUND: Code.CONSUMER_GROUP_NOT_FOUND,
  RECEIPT_HANDLE_INVALID: Code.INVALID_RECEIPT_HANDLE,
  NOT_SERVING: Code.HA_NOT_AVAILABLE,
  NO_READABLE_BROKER: Code.HA_NOT_AVAILABLE,
  PEER_REFUSED: Code.INTERNAL_SERVER_ERROR,
  PROMOTION_REFUSED: Code.INTERNAL_SERVER_ERROR,
  SET_NOT_FOUND: Code.INTERNAL_SERVER_ERROR,
  PROTOCOL_VIOLATION: Code.BAD_REQUEST,
  ILLEGAL_ARGUMENT: Code.BAD_REQUEST,
  CONFIG_INVALID: Code.INTERNAL_SERVER_ERROR,
  SYSTEM_BUSY: Code.TOO_MANY_REQUESTS,
  UNAVAILABLE: Code.INTERNAL_SERVER_ERROR,
}

const CODE_OF_RULE: Readonly<Record<MessageRule, rocketmq.Code>> = {
  'message-id': Code.ILLEGAL_MESSAGE_ID,
  'body-empty': Code.MESSAGE_BODY_EMPTY,
  'body-size': Code.MESSAGE_BODY_TOO_LARGE,
  tag: Code.ILLEGAL_MESSAGE_TAG,
  keys: Code.ILLEGAL_MESSAGE_KEY,
  'message-group': Code.ILLEGAL_MESSAGE_GROUP,
  property: Code.ILLEGAL_MESSAGE_PROPERTY_KEY,
  'properties-size': Code.MESSAGE_PROPERTIES_TOO_LARGE,
  'delivery-time': Code.ILLEGAL_DELIVERY_TIME,
  'message-type': Code.MESSAGE_PROPERTY_CONFLICT_WITH_TYPE,
}

/** The status for what was thrown; `undefined` if it is no operating error but a fault of the program. */
export function statusOf(thrown: unknown): rocketmq.Status | undefined {
  if (thrown instanceof StatusError) return { code: thrown.code, message: thrown.message }
  if (thrown instanceof BrokerError) return { code: codeOf(thrown), message: wordsOf(thrown) }
  return undefined
}

function codeOf({ code, facts }: BrokerError): rocketmq.Code {
  if (code === 'MESSAGE_ILLEGAL' && isRule(facts['rule'])) return CODE_OF_RULE[facts['rule']]
  // A topic whose permission forbids it, not a broker that cannot: trying again is of no use.
  if (code === 'NOT_WRITABLE' && facts['topic'] !== undefined) return Code.FORBIDDEN
  return CODE_OF[code]
}

function wordsOf({ code, message, facts }: BrokerError): string {
  const topic = facts['topic']
  return code === 'TOPIC_NOT_FOUND' && typeof topic === 'string'
    ? topicNotFound(topic).message
    : `${code}: ${message}`
}

function isRule(rule: unknown): rule is MessageRule {
  return typeof rule === 'string' && Object.hasOwn(CODE_OF_RULE, rule)
}
