import type { CallContext, DeliveredMessage, OutgoingMessage } from '@tandemmq/messaging'
import type { BrokerSet } from './broker-set.ts'

const TOPIC = 'orders'
const GROUP = 'billing'
const HOST = { ip: '10.0.0.9', port: 40_000 }

/** A producer and consumer of one topic that speaks to whichever broker it is told to. */
export class Client {
  readonly #set: BrokerSet
  #sent = 0

  constructor(set: BrokerSet) {
    this.#set = set
  }

  /** Sends a numbered message to the master; the promise is the broker's answer, still open. */
  send(
    options: { readonly deliveryTimestamp?: number; readonly timeoutMs?: number; readonly to?: string } = {},
  ) {
    this.#sent += 1
    const { time } = this.#set
    const { deliveryTimestamp, timeoutMs = 10_000, to = 'master' } = options
    const message: OutgoingMessage = {
      topic: TOPIC,
      messageId: `m${this.#sent}`,
      type: deliveryTimestamp === undefined ? 'NORMAL' : 'DELAY',
      body: Buffer.from(`body ${this.#sent}`),
      keys: [],
      userProperties: new Map(),
      ...(deliveryTimestamp === undefined ? {} : { deliveryTimestamp }),
      bornTimestamp: time.now(),
      bornHost: HOST,
      compressed: false,
    }
    const answer = this.#set
      .broker(to)
      .api.send(message, this.#context({ deadline: time.monotonic() + timeoutMs }))
    answer.catch(() => {}) // Looked at later.
    return answer
  }

  /** Sends so many, one after the other; all must be OK. Returns their bodies. */
  async sendAll(count: number, to = 'master'): Promise<string[]> {
    const bodies: string[] = []
    for (let index = 0; index < count; index += 1) {
      const { status } = await this.#set.time.outcome(this.send({ to }))
      if (status !== 'OK') throw new Error(`sent with ${status}`)
      bodies.push(`body ${this.#sent}`)
    }
    return bodies
  }

  /** What is there now, at most 8. */
  async receive(name: string, { stamp, pollMs = 0, invisibleMs = 30_000 }: ReceiveOptions = {}) {
    const request = {
      group: GROUP,
      topic: TOPIC,
      filter: { kind: 'all' as const },
      batchSize: 8,
      invisibleMs,
      autoRenew: false,
      pollMs,
    }
    const context = this.#context(stamp === undefined ? {} : { servingEpoch: stamp })
    const answer = await this.#set.time.outcome(this.#set.broker(name).api.receive(request, context))
    return answer.messages
  }

  /** Receives until nothing comes any more. */
  async receiveAll(name: string): Promise<DeliveredMessage[]> {
    const all: DeliveredMessage[] = []
    for (;;) {
      const messages = await this.receive(name)
      if (messages.length === 0) return all
      all.push(...messages)
    }
  }

  async ack(name: string, messages: readonly DeliveredMessage[]) {
    const entries = messages.map(({ receiptHandle }) => ({ receiptHandle, messageId: '' }))
    return this.#set.time.outcome(this.#set.broker(name).api.ack(GROUP, TOPIC, entries, this.#context({})))
  }

  /** Gives a message up: it goes to the dead letters. */
  async giveUp(name: string, { receiptHandle }: DeliveredMessage): Promise<void> {
    const { api } = this.#set.broker(name)
    await this.#set.time.outcome(api.forwardToDeadLetter(receiptHandle, this.#context({})))
  }

  #context(more: Partial<CallContext>): CallContext {
    return {
      clientId: 'client-1',
      peer: HOST,
      language: 'JAVA',
      clientVersion: '5.0.0',
      signal: new AbortController().signal,
      ...more,
    }
  }
}

export interface ReceiveOptions {
  readonly stamp?: number
  readonly pollMs?: number
  readonly invisibleMs?: number
}

/** The bodies of messages, sorted as they were numbered. */
export function bodiesOf(messages: readonly DeliveredMessage[]): string[] {
  return messages.map(({ record }) => record.body.toString()).toSorted(byNumber)
}

function byNumber(one: string, other: string): number {
  return Number(one.replace(/\D+/, '')) - Number(other.replace(/\D+/, ''))
}
