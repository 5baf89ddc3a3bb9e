import { setTimeout } from 'node:timers/promises'
import type { SimpleConsumer } from 'rocketmq-client-nodejs'

const BATCH = 4
const BATCH_EVERY_MS = 25
const INVISIBLE_MS = 15_000

/** An application that takes a few messages at a time from a backlog: when it pauses, it is for the cluster. */
export class PacedConsumer {
  readonly #consumer: SimpleConsumer
  readonly #receivedAt: number[] = []
  readonly #numbers = new Set<number>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #receiveErrors = 0

  constructor(consumer: SimpleConsumer) {
    this.#consumer = consumer
    this.#running = this.#run()
  }

  /** Distinct messages received. */
  get received(): number {
    return this.#numbers.size
  }

  /** Exceptions that reached the application. */
  get receiveErrors(): number {
    return this.#receiveErrors
  }

  /** The longest time without a message that ended after `since` (monotonic, ms); one that lasts still counts. */
  longestPauseMs(since: number): number {
    let longest = 0
    let previous: number | undefined
    for (const at of [...this.#receivedAt, performance.now()]) {
      if (previous !== undefined && at >= since) longest = Math.max(longest, at - previous)
      previous = at
    }
    return Math.round(longest)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const pace = setTimeout(BATCH_EVERY_MS)
      try {
        const messages = await this.#consumer.receive(BATCH, INVISIBLE_MS)
        await Promise.all(
          messages.map((message) => {
            this.#receivedAt.push(performance.now())
            this.#numbers.add(Number(message.body.toString()))
            return this.#consumer.ack(message)
          }),
        )
      } catch {
        this.#receiveErrors += 1
      }
      await pace
    }
  }
}
