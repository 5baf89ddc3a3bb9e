import type { KeyObject } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { openReceiptHandle } from '@tandemmq/codec'
import { rocketmq } from '@tandemmq/rpc'
import type { Delivery } from './delivery.ts'
import type { GatewayClient } from './gateway-client.ts'
import type { GroupJudge } from './group-judge.ts'
import { numberOf } from './numbered-message.ts'
import { Pauses } from './pauses.ts'

const { Code } = rocketmq
const BATCH = 32
/** The least that is allowed. */
const INVISIBLE_S = 10
/** A receive waits for less than that: an answer that there is nothing new is one, too. */
const RECEIVE_TIMEOUT_MS = 1_500
const ACK_TIMEOUT_MS = 3_000
const AGAIN_MS = 50

interface Received {
  readonly delivery: Delivery
  readonly entry: rocketmq.AckMessageEntry
}

/** Members of one consumer group that receive and acknowledge without end. */
export class Consumers {
  /** Between answers to receives, be it that there is nothing new. */
  readonly pauses = new Pauses()
  readonly #client: GatewayClient
  readonly #topic: rocketmq.Resource
  readonly #group: rocketmq.Resource
  readonly #judge: GroupJudge
  readonly #handleKey: KeyObject
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>

  constructor(parts: {
    readonly client: GatewayClient
    readonly topic: string
    readonly judge: GroupJudge
    readonly handleKey: KeyObject
    readonly loops: number
  }) {
    this.#client = parts.client
    this.#topic = { resourceNamespace: '', name: parts.topic }
    this.#group = { resourceNamespace: '', name: parts.judge.name }
    this.#judge = parts.judge
    this.#handleKey = parts.handleKey
    this.#running = Promise.all(Array.from({ length: parts.loops }, () => this.#run()))
  }

  /** Resolves when the last receive has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const received = await this.#receive()
        this.pauses.note()
        this.#judge.delivered(received.map(({ delivery }) => delivery))
        if (received.length > 0) await this.#acknowledge(received)
      } catch {
        // Refused, or no answer: an application asks again.
        await pause(AGAIN_MS)
      }
    }
  }

  async #receive(): Promise<readonly Received[]> {
    const request = rocketmq.ReceiveMessageRequest.create({
      group: this.#group,
      messageQueue: rocketmq.MessageQueue.create({ topic: this.#topic }),
      filterExpression: { type: rocketmq.FilterType.TAG, expression: '*' },
      batchSize: BATCH,
      invisibleDuration: { seconds: INVISIBLE_S, nanos: 0 },
    })
    const encoded = rocketmq.ReceiveMessageRequest.encode(request).finish()
    const frames = await this.#client.call('ReceiveMessage', encoded, RECEIVE_TIMEOUT_MS)
    return frames.flatMap((frame) => {
      const { content } = rocketmq.ReceiveMessageResponse.decode(frame)
      if (content?.$case === 'message') return [this.#received(content.value)]
      if (content?.$case === 'status') mustBe(content.value, Code.OK, Code.MESSAGE_NOT_FOUND)
      return []
    })
  }

  #received({ body, systemProperties }: rocketmq.Message): Received {
    const { messageId = '', receiptHandle = '' } = systemProperties ?? {}
    const handle = openReceiptHandle(receiptHandle, this.#handleKey)
    const { queueId, queueOffset, attempt, deliveredAt, servingEpoch: epoch } = handle
    const number = numberOf(Buffer.from(body))
    return {
      delivery: { number, queueId, queueOffset, attempt, deliveredAt, epoch },
      entry: rocketmq.AckMessageEntry.create({ messageId, receiptHandle }),
    }
  }

  async #acknowledge(received: readonly Received[]): Promise<void> {
    const request = rocketmq.AckMessageRequest.create({
      group: this.#group,
      topic: this.#topic,
      entries: received.map(({ entry }) => entry),
    })
    for (const { delivery } of received) this.#judge.ackSent(delivery)
    const encoded = rocketmq.AckMessageRequest.encode(request).finish()
    const statuses = await this.#ackStatuses(encoded)
    for (const [index, { delivery }] of received.entries()) {
      const code = statuses[index]
      if (code === Code.OK) this.#judge.ackTaken(delivery)
      // What a gateway answers for a broker that it lost says nothing of what that had done.
      else if (code !== Code.INVALID_RECEIPT_HANDLE) this.#judge.ackUnknown(delivery)
    }
  }

  /** One code for each entry; none where nobody knows. */
  async #ackStatuses(request: Uint8Array): Promise<readonly (rocketmq.Code | undefined)[]> {
    try {
      const [answer] = await this.#client.call('AckMessage', request, ACK_TIMEOUT_MS)
      const { entries } = rocketmq.AckMessageResponse.decode(answer ?? Buffer.alloc(0))
      return entries.map(({ status }) => status?.code)
    } catch {
      return []
    }
  }
}

function mustBe(status: rocketmq.Status, ...codes: readonly rocketmq.Code[]): void {
  if (!codes.includes(status.code)) throw new Error(`answered with ${status.code}: ${status.message}`)
}
