import type { CallContext, MessagingApi } from '@tandemmq/messaging'
import type { rocketmq } from '@tandemmq/rpc'
import { groupName, topicName } from './resource-names.ts'
import { okStatus } from './status-error.ts'

/** Idempotent: the Node client asks again each second until it hears OK, whatever else it is told. */
export async function forwardToDeadLetterQueue(
  request: rocketmq.ForwardMessageToDeadLetterQueueRequest,
  context: CallContext,
  api: MessagingApi,
): Promise<rocketmq.ForwardMessageToDeadLetterQueueResponse> {
  topicName(request.topic)
  groupName(request.group)
  await api.forwardToDeadLetter(request.receiptHandle, context)
  return { status: okStatus }
}
