import type { Clock } from '@tandemmq/base'
import type { CallContext, MessagingApi, OutgoingMessage, SendReceipt, SendStatus } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { statusOf } from './error-status.ts'
import { outgoingMessage } from './outgoing-message.ts'
import { topicName } from './resource-names.ts'
import { okStatus, StatusError } from './status-error.ts'

const { Code } = rocketmq

/** "Stored, but …": the words that Apache's proxy uses for its send status. */
const STATUS_OF: Readonly<Record<SendStatus, rocketmq.Status>> = {
  OK: okStatus,
  FLUSH_DISK_TIMEOUT: {
    code: Code.MASTER_PERSISTENCE_TIMEOUT,
    message: 'stored, but not on disk in time, sendStatus=FLUSH_DISK_TIMEOUT',
  },
  FLUSH_SLAVE_TIMEOUT: {
    code: Code.SLAVE_PERSISTENCE_TIMEOUT,
    message: 'stored, but not on enough replicas in time, sendStatus=FLUSH_SLAVE_TIMEOUT',
  },
}

/**
 * Stores the messages of one request, in order; one entry each. Nothing is stored if one of them is illegal. If all were refused there are
 * no entries but the status, as with Apache's proxy: throws what the first one was refused with.
 */
export async function sendMessage(
  request: rocketmq.SendMessageRequest,
  context: CallContext,
  parts: { readonly api: MessagingApi; readonly clock: Clock },
): Promise<rocketmq.SendMessageResponse> {
  const messages = checked(request, context, parts.clock.now())
  // All are appended in this turn, in order; then all are waited for.
  const outcomes = await Promise.allSettled(messages.map((message) => parts.api.send(message, context)))
  const [first] = outcomes
  if (first?.status === 'rejected' && outcomes.every(({ status }) => status === 'rejected'))
    throw first.reason
  const entries = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? entryOf(outcome.value) : refusedEntry(outcome.reason),
  )
  return { status: commonStatus(entries.map((entry) => entry.status)), entries }
}

/** The status that all entries share, else MULTIPLE_RESULTS. */
export function commonStatus(statuses: readonly rocketmq.Status[]): rocketmq.Status {
  const [first] = statuses
  if (first && statuses.every((status) => status.code === first.code)) return first
  return { code: Code.MULTIPLE_RESULTS, message: 'MULTIPLE_RESULTS' }
}

function checked(
  request: rocketmq.SendMessageRequest,
  context: CallContext,
  now: number,
): readonly OutgoingMessage[] {
  const [first] = request.messages
  if (!first) throw new StatusError(Code.MESSAGE_CORRUPTED, 'no message to send')
  const topic = topicName(first.topic)
  if (request.messages.some((message) => message.topic?.name !== topic)) {
    throw new StatusError(Code.MESSAGE_CORRUPTED, 'topic in message is not same')
  }
  const messages = request.messages.map((message) => outgoingMessage(message, now, context.peer))
  if (messages.some((message) => message.type === 'TRANSACTION')) {
    throw new StatusError(Code.NOT_IMPLEMENTED, 'this broker does not do transactional messages')
  }
  return messages
}

function entryOf({
  status,
  messageId,
  queueOffset,
}: SendReceipt): rocketmq.SendResultEntry & { status: rocketmq.Status } {
  // Apache's transaction id equals the message id for every type; recalling is not offered, so there is no handle.
  if (status === 'OK') {
    return { status: okStatus, messageId, transactionId: messageId, offset: queueOffset, recallHandle: '' }
  }
  return { status: STATUS_OF[status], messageId: '', transactionId: '', offset: 0, recallHandle: '' }
}

function refusedEntry(reason: unknown): rocketmq.SendResultEntry & { status: rocketmq.Status } {
  const status = statusOf(reason)
  if (status === undefined) throw reason
  return { status, messageId: '', transactionId: '', offset: 0, recallHandle: '' }
}
