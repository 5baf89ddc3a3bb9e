import type {
  AckEntry,
  AckStatus,
  CallContext,
  MessagingApi,
  OutgoingMessage,
  ReceiveAnswer,
  ReceiveRequest,
  SendReceipt,
} from '@tandemmq/messaging'
import { claim } from '../engine/claim.ts'
import { isSafeName } from '../engine/safe-name.ts'

const BODY_BYTES_MAX = 4 * 1024 * 1024
const DAY_MS = 86_400_000

/** A broker that stores nothing, and holds whoever calls it to what its interface says of each field. */
export class StrictMessaging implements MessagingApi {
  /** Calls that came through. */
  calls = 0

  async send(message: OutgoingMessage, context: CallContext): Promise<SendReceipt> {
    this.#context(context)
    const { topic, messageId, body, keys, tag, userProperties, bornTimestamp, deliveryTimestamp } = message
    claim(isSafeName(topic), `a message for topic ${JSON.stringify(topic)}`)
    claim(messageId.trim() !== '', 'a message has an id')
    claim(body.length > 0 && body.length <= BODY_BYTES_MAX, `a body of ${body.length} bytes`)
    const texts = [tag ?? '', ...keys, ...[...userProperties].flat()]
    claim(
      texts.every((text) => !/\p{Cc}/u.test(text)),
      'no text holds a separator of properties',
    )
    claim(Number.isSafeInteger(bornTimestamp), `born at ${bornTimestamp}`)
    claim(
      deliveryTimestamp === undefined || Number.isSafeInteger(deliveryTimestamp),
      `due at ${deliveryTimestamp}`,
    )
    claim(message.bornHost.port >= 0 && message.bornHost.port <= 65_535, 'a port')
    return { status: 'OK', messageId, queueId: 0, queueOffset: 0, offset: 0 }
  }

  async receive(request: ReceiveRequest, context: CallContext): Promise<ReceiveAnswer> {
    this.#context(context)
    const { topic, group, batchSize, invisibleMs, pollMs, autoRenew } = request
    claim(isSafeName(topic) && isSafeName(group), `${JSON.stringify(topic)} for ${JSON.stringify(group)}`)
    claim(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= 32, `a batch of ${batchSize}`)
    claim(autoRenew || (invisibleMs >= 0 && invisibleMs <= DAY_MS), `invisible for ${invisibleMs}`)
    claim(pollMs >= 0 && pollMs <= DAY_MS, `a poll of ${pollMs}`)
    return { messages: [], filteredOnly: false }
  }

  async ack(
    group: string,
    topic: string,
    entries: readonly AckEntry[],
    context: CallContext,
  ): Promise<readonly AckStatus[]> {
    this.#context(context)
    claim(isSafeName(topic) && isSafeName(group), `${JSON.stringify(topic)} for ${JSON.stringify(group)}`)
    return entries.map(() => 'RECEIPT_HANDLE_INVALID')
  }

  async changeInvisible(handle: string, invisibleMs: number, context: CallContext): Promise<string> {
    this.#context(context)
    claim(invisibleMs >= 0 && invisibleMs <= DAY_MS, `invisible for ${invisibleMs}`)
    return handle
  }

  async forwardToDeadLetter(_handle: string, context: CallContext): Promise<void> {
    this.#context(context)
  }

  clientGone(_clientId: string, group: string): void {
    claim(isSafeName(group), `group ${JSON.stringify(group)}`)
  }

  #context(_context: CallContext): void {
    this.calls += 1
  }
}
