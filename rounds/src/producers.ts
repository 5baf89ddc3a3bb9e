import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { rocketmq } from '@tandemmq/rpc'
import type { GatewayClient } from './gateway-client.ts'
import { bodyOf } from './numbered-message.ts'
import type { Fate, Sends, Sent } from './sends.ts'

const { Code, MessageType } = rocketmq
const TIMEOUT_MS = 5_000
/** A lane sends no faster than that: what is looked for are faults, and those that share the machine need some of it too. */
const PACE_MS = 30
/** After anything but OK. */
const AGAIN_MS = 60

/** Lanes that send one message after the other, each in a message group of its own: as many messages are in flight as there are lanes. */
export class Producers {
  readonly #client: GatewayClient
  readonly #topic: string
  readonly #sends: Sends
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>

  constructor(client: GatewayClient, topic: string, lanes: number, sends: Sends) {
    this.#client = client
    this.#topic = topic
    this.#sends = sends
    this.#running = Promise.all(Array.from({ length: lanes }, (_, lane) => this.#run(lane)))
  }

  /** Resolves when all that was sent has its fate. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(lane: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const pace = pause(PACE_MS)
      const sent = this.#sends.begin(lane)
      const fate = await this.#send(sent)
      this.#sends.settle(sent, fate)
      await pace
      if (fate !== 'acknowledged') await pause(AGAIN_MS)
    }
  }

  async #send({ number, lane }: Sent): Promise<Fate> {
    const request = rocketmq.SendMessageRequest.create({
      messages: [
        rocketmq.Message.create({
          topic: { resourceNamespace: '', name: this.#topic },
          systemProperties: rocketmq.SystemProperties.create({
            messageId: randomUUID(),
            messageType: MessageType.FIFO,
            messageGroup: `lane-${lane}`,
            bornTimestamp: new Date(),
            bornHost: 'rounds',
          }),
          body: bodyOf(number),
        }),
      ],
    })
    try {
      const encoded = rocketmq.SendMessageRequest.encode(request).finish()
      const [answer] = await this.#client.call('SendMessage', encoded, TIMEOUT_MS)
      const { status } = rocketmq.SendMessageResponse.decode(answer ?? Buffer.alloc(0))
      if (status?.code === Code.OK) return 'acknowledged'
      return status?.message.includes('nothing was stored') === true ? 'refused' : 'unknown'
    } catch {
      return 'unknown'
    }
  }
}
