import { rocketmq } from '@tandemmq/rpc'
import { receiveFrames } from './receive-message.ts'

/**
 * An answer that says only why there is none, in the shape of the method's own answers. An acknowledgement gets an entry per entry of its
 * request (the Rust client counts on it), a change of invisibility gets its handle back (several clients keep what they are given).
 */
export function failureAnswer(
  method: string,
  request: Uint8Array,
  status: rocketmq.Status,
  now: number,
): readonly Uint8Array[] {
  switch (method) {
    case 'SendMessage':
      return [rocketmq.SendMessageResponse.encode({ status, entries: [] }).finish()]
    case 'ReceiveMessage':
      return receiveFrames(status, [], now).map((frame) =>
        rocketmq.ReceiveMessageResponse.encode(frame).finish(),
      )
    case 'AckMessage':
      return [rocketmq.AckMessageResponse.encode({ status, entries: ackEntries(request, status) }).finish()]
    case 'ChangeInvisibleDuration':
      return [
        rocketmq.ChangeInvisibleDurationResponse.encode({
          status,
          receiptHandle: handleIn(request),
        }).finish(),
      ]
    default:
      // Every other answer has its status in field 1 and may have nothing else.
      return [rocketmq.HeartbeatResponse.encode({ status }).finish()]
  }
}

function ackEntries(request: Uint8Array, status: rocketmq.Status): rocketmq.AckMessageResultEntry[] {
  try {
    const { entries } = rocketmq.AckMessageRequest.decode(request)
    return entries.map(({ messageId, receiptHandle }) => ({ messageId, receiptHandle, status }))
  } catch {
    return [] // The request itself cannot be read; the status says so.
  }
}

function handleIn(request: Uint8Array): string {
  try {
    return rocketmq.ChangeInvisibleDurationRequest.decode(request).receiptHandle
  } catch {
    return ''
  }
}
