import { randomUUID } from 'node:crypto'
import { rocketmq } from '@tandemmq/rpc'
import type { RawClient } from './raw-client.ts'

const { Code, MessageType } = rocketmq

/** Messages of one receive at most. */
export const RECEIVE_BATCH = 32

/** One producer's and consumer's calls, as few as can be: send, and receive with acknowledgement. */
export class MessagingCalls {
  readonly #client: RawClient
  readonly #topic: rocketmq.Resource
  readonly #group: rocketmq.Resource
  readonly #body: Buffer

  constructor(client: RawClient, topic: string, bodyBytes: number) {
    this.#client = client
    this.#topic = { resourceNamespace: '', name: topic }
    this.#group = { resourceNamespace: '', name: 'bench' }
    this.#body = Buffer.alloc(bodyBytes, 'x')
  }

  /** Brings the topic into being. */
  async begin(): Promise<void> {
    const route = rocketmq.QueryRouteRequest.create({ topic: this.#topic })
    await this.#client.call('QueryRoute', rocketmq.QueryRouteRequest.encode(route).finish())
  }

  /** Sends one message. Throws unless it is stored as safely as the broker's mode promises. */
  async send(): Promise<void> {
    const request = rocketmq.SendMessageRequest.create({
      messages: [
        rocketmq.Message.create({
          topic: this.#topic,
          systemProperties: rocketmq.SystemProperties.create({
            messageId: randomUUID(),
            messageType: MessageType.NORMAL,
            bornTimestamp: new Date(),
            bornHost: 'bench',
          }),
          body: this.#body,
        }),
      ],
    })
    const [answer] = await this.#client.call(
      'SendMessage',
      rocketmq.SendMessageRequest.encode(request).finish(),
    )
    mustBeOk(rocketmq.SendMessageResponse.decode(answer ?? Buffer.alloc(0)).status)
  }

  /** Receives up to 32 messages and acknowledges them in one call. Returns how many. */
  async receiveAndAck(): Promise<number> {
    const request = rocketmq.ReceiveMessageRequest.create({
      group: this.#group,
      messageQueue: rocketmq.MessageQueue.create({ topic: this.#topic }),
      filterExpression: { type: rocketmq.FilterType.TAG, expression: '*' },
      batchSize: RECEIVE_BATCH,
      invisibleDuration: { seconds: 60, nanos: 0 },
      longPollingTimeout: { seconds: 1, nanos: 0 },
    })
    const frames = await this.#client.call(
      'ReceiveMessage',
      rocketmq.ReceiveMessageRequest.encode(request).finish(),
    )
    const entries = frames.flatMap((frame) => {
      const { content } = rocketmq.ReceiveMessageResponse.decode(frame)
      if (content?.$case !== 'message') return []
      const { messageId = '', receiptHandle = '' } = content.value.systemProperties ?? {}
      return [{ messageId, receiptHandle }]
    })
    if (entries.length === 0) return 0
    const ack = rocketmq.AckMessageRequest.create({ group: this.#group, topic: this.#topic, entries })
    const [answer] = await this.#client.call('AckMessage', rocketmq.AckMessageRequest.encode(ack).finish())
    mustBeOk(rocketmq.AckMessageResponse.decode(answer ?? Buffer.alloc(0)).status)
    return entries.length
  }
}

function mustBeOk(status: rocketmq.Status | undefined): void {
  if (status?.code === Code.OK) return
  throw new Error(`answered with ${String(status?.code)}: ${status?.message ?? ''}`)
}
