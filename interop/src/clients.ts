import {
  Producer,
  PushConsumer,
  SimpleConsumer,
  type ConsumeResult,
  type MessageView,
} from 'rocketmq-client-nodejs'
import { bearLastStream } from './last-stream.ts'
import { quietClientLog } from './quiet-client-log.ts'

/** Official clients of one cluster; all are shut down at the end. */
export class Clients implements AsyncDisposable {
  readonly #connection: {
    endpoints: string
    namespace: string
    logger: typeof quietClientLog
    sslEnabled: boolean
  }
  readonly #shutdowns: (() => Promise<void>)[] = []

  /** `endpoints`: the one address that clients know, `host:port`. */
  constructor({
    endpoints,
    sslEnabled = false,
  }: {
    readonly endpoints: string
    readonly sslEnabled?: boolean
  }) {
    this.#connection = { endpoints, namespace: '', logger: quietClientLog, sslEnabled }
  }

  async producer(topics: string | readonly string[], maxAttempts = 1): Promise<Producer> {
    const producer = bearLastStream(
      new Producer({ ...this.#connection, topics: [topics].flat(), maxAttempts }),
    )
    await producer.startup()
    this.#shutdowns.push(() => producer.shutdown())
    return producer
  }

  /** `awaitDuration`: how long an empty receive waits, ms. */
  async simple(
    consumerGroup: string,
    topic: string,
    tag = '*',
    awaitDuration = 5_000,
  ): Promise<SimpleConsumer> {
    const subscriptions = new Map([[topic, tag]])
    const consumer = bearLastStream(
      new SimpleConsumer({ ...this.#connection, consumerGroup, subscriptions, awaitDuration }),
    )
    await consumer.startup()
    this.#shutdowns.push(() => consumer.shutdown())
    return consumer
  }

  async push(
    consumerGroup: string,
    topic: string,
    consume: (message: MessageView) => Promise<ConsumeResult>,
  ): Promise<PushConsumer> {
    const subscriptions = new Map([[topic, '*']])
    const consumer = bearLastStream(
      new PushConsumer({ ...this.#connection, consumerGroup, subscriptions, messageListener: { consume } }),
    )
    await consumer.startup()
    this.#shutdowns.push(() => consumer.shutdown())
    return consumer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#shutdowns.splice(0).map((shutdown) => shutdown()))
  }
}
