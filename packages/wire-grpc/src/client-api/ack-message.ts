import { BrokerError } from '@tandemmq/base'
import type { AckStatus, CallContext, MessagingApi } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { groupName, topicName } from './resource-names.ts'
import { commonStatus } from './send-message.ts'
import { okStatus, StatusError } from './status-error.ts'

const { Code } = rocketmq

/** INVALID_RECEIPT_HANDLE is the one refusal after which a push consumer stops asking. */
const STATUS_OF: Readonly<Record<AckStatus, rocketmq.Status>> = {
  OK: okStatus,
  RECEIPT_HANDLE_INVALID: {
    code: Code.INVALID_RECEIPT_HANDLE,
    message: 'receipt handle is expired or invalid',
  },
  NOT_SERVING: { code: Code.HA_NOT_AVAILABLE, message: 'this broker does not serve consumers now' },
  UNAVAILABLE: {
    code: Code.INTERNAL_SERVER_ERROR,
    message: 'the acknowledgement could not be kept, try again',
  },
}

/** A result entry for each entry of the request, in order. */
export async function ackMessage(
  request: rocketmq.AckMessageRequest,
  context: CallContext,
  api: MessagingApi,
): Promise<rocketmq.AckMessageResponse> {
  const topic = topicName(request.topic)
  const group = groupName(request.group)
  if (request.entries.length === 0) {
    throw new StatusError(Code.INTERNAL_SERVER_ERROR, 'ack message result is empty')
  }
  const results = await api.ack(group, topic, request.entries, context)
  if (context.servingEpoch !== undefined && results.every((result) => result === 'NOT_SERVING')) {
    throw new BrokerError('NOT_SERVING', 'this broker does not serve consumers now')
  }
  const entries = request.entries.map(({ messageId, receiptHandle }, index) => ({
    messageId,
    receiptHandle,
    status: STATUS_OF[results[index] ?? 'UNAVAILABLE'],
  }))
  return { status: commonOf(entries.map((entry) => entry.status)), entries }
}

/** As the entries if they agree; the top status then is named, not worded, as Apache's proxy does. */
function commonOf(statuses: readonly rocketmq.Status[]): rocketmq.Status {
  const status = commonStatus(statuses)
  return status.code === Code.INVALID_RECEIPT_HANDLE
    ? { ...status, message: 'INVALID_RECEIPT_HANDLE' }
    : status
}
