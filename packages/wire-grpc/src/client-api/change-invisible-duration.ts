import type { CallContext, MessagingApi } from '@tandemmq/messaging'
import type { rocketmq } from '@tandemmq/rpc'
import type { AutoRenewConsumers } from './auto-renew-consumers.ts'
import { changedInvisibleMs } from './invisible-time.ts'
import { isNodeUpTo108 } from './node-client.ts'
import { groupName, topicName } from './resource-names.ts'
import { okStatus } from './status-error.ts'

/** The first step of Apache's retry policy: no push consumer means to be served again sooner. */
const NACK_MIN_MS = 1_000

/** Always with a handle that is not empty: several clients put the answer's handle in place of theirs without looking. */
export async function changeInvisibleDuration(
  request: rocketmq.ChangeInvisibleDurationRequest,
  context: CallContext,
  parts: { readonly api: MessagingApi; readonly consumers: AutoRenewConsumers },
): Promise<rocketmq.ChangeInvisibleDurationResponse> {
  topicName(request.topic)
  const group = groupName(request.group)
  const asked = changedInvisibleMs(request.invisibleDuration)
  const invisibleMs = Math.max(asked, floorMs(group, context, parts.consumers))
  const receiptHandle = await parts.api.changeInvisible(request.receiptHandle, invisibleMs, context)
  return { status: okStatus, receiptHandle }
}

/** The Node client up to 1.0.8 takes seconds for milliseconds when it computes the delay of a nack: without a floor, a hot loop. */
function floorMs(group: string, context: CallContext, consumers: AutoRenewConsumers): number {
  return isNodeUpTo108(context) && consumers.has(context.clientId, group) ? NACK_MIN_MS : 0
}
