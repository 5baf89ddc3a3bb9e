import { messageOf, type Clock, type Logger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import type { CallTarget } from '../client-api/call-target.ts'
import { durationOf } from '../client-api/duration-ms.ts'

/** What a client did not take becomes visible again this soon, as Apache's proxy does it. */
const INVISIBLE_MS = 1_000
const DEADLINE_MS = 3_000

/**
 * The frames of an answer to `request` did not reach its client: its messages become visible again. Without this they would stay invisible
 * for as long as the client lives, if it receives under auto-renew.
 */
export async function giveBack(
  request: Uint8Array,
  frames: readonly Uint8Array[],
  context: CallContext,
  parts: { readonly target: CallTarget; readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const { target, clock, logger } = parts
  const messages = frames
    .map((frame) => rocketmq.ReceiveMessageResponse.decode(frame).content)
    .flatMap((content) => (content?.$case === 'message' ? [content.value] : []))
  // A refusal, perhaps of a request that nobody could read.
  if (messages.length === 0) return
  const { group, messageQueue } = rocketmq.ReceiveMessageRequest.decode(request)
  const own: CallContext = {
    ...context,
    deadline: clock.monotonic() + DEADLINE_MS,
    signal: new AbortController().signal,
  }
  for (const { systemProperties, topic } of messages) {
    const change = rocketmq.ChangeInvisibleDurationRequest.encode({
      group,
      topic: topic ?? messageQueue?.topic,
      receiptHandle: systemProperties?.receiptHandle ?? '',
      invisibleDuration: durationOf(INVISIBLE_MS),
      messageId: systemProperties?.messageId ?? '',
    }).finish()
    try {
      await target.call('ChangeInvisibleDuration', change, own, () => {})
    } catch (thrown) {
      logger.debug(
        { error: messageOf(thrown) },
        'a message that its client did not take could not be given back',
      )
    }
  }
}
