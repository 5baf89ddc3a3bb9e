import { once } from 'node:events'
import type { MessageView, Producer, SimpleConsumer } from 'rocketmq-client-nodejs'
import { Ledger } from './ledger.ts'
import { GIVE_UP_MS } from './until.ts'

const BATCH = 8
const INVISIBLE_MS = 15_000
const SEND_EVERY_MS = 5
/** What a client hears when nobody answers it in time: on a loaded machine a process may stand still for as long as a call may take. */
export const LATE = /FATE_UNKNOWN: the broker gave no answer in time|DEADLINE_EXCEEDED|NO_READABLE_BROKER/
/** A consumer that bears exceptions asks again after this. */
const ASK_AGAIN_MS = 50

/** One producer and one consumer group that go on until they are stopped, with a ledger of every message. */
export class Workload {
  readonly ledger = new Ledger()
  /** What the producer's application saw instead of OK. */
  readonly sendFailures: Error[] = []
  /** What the consumer's application saw as exceptions, where it bears them. */
  readonly consumerFailures: Error[] = []
  /** Acknowledgements that were answered too late and made again, where that is borne. */
  readonly lateAcks: Error[] = []
  /** Messages that came after their acknowledgement was taken, with the time since, ms. */
  readonly repeats: { readonly number: number; readonly ackedAt: number }[] = []
  readonly #topic: string
  readonly #bodyBytes: number
  readonly #ackedAt = new Map<number, number>()
  readonly #stopSending = new AbortController()
  #stopConsuming = new AbortController()
  readonly #watchers = new Set<() => void>()
  #last = 0
  #failure: unknown
  #accepted = 0

  /** `bodyBytes`: the least length of a message's body. */
  constructor(topic: string, bodyBytes = 0) {
    this.#topic = topic
    this.#bodyBytes = bodyBytes
  }

  /** Distinct messages whose acknowledgement a broker has taken. */
  get consumed(): number {
    return this.#ackedAt.size
  }

  get accepted(): number {
    return this.#accepted
  }

  async send(producer: Producer): Promise<void> {
    this.#last += 1
    const number = this.#last
    this.ledger.sent(number)
    try {
      await producer.send({ topic: this.#topic, body: Buffer.from(String(number).padEnd(this.#bodyBytes)) })
      this.ledger.acknowledged(number)
      this.#accepted += 1
    } catch (failure) {
      this.ledger.refused(number)
      this.sendFailures.push(asError(failure))
    }
    this.#changed()
  }

  /** Sends one after the other, whatever the answers, until {@link stopSending}. */
  async keepSending(producer: Producer): Promise<void> {
    while (!this.#stopSending.signal.aborted) {
      const pace = once(AbortSignal.timeout(SEND_EVERY_MS), 'abort')
      await this.send(producer)
      await pace
    }
  }

  stopSending(): void {
    this.#stopSending.abort()
  }

  /**
   * Receives and acknowledges until {@link stopConsuming}, or until an exception reaches the application: {@link reached} throws it. So many
   * acknowledgements as `lateAcksMax` may come too late and are made again.
   */
  async keepConsuming(consumer: SimpleConsumer, lateAcksMax = 0): Promise<void> {
    try {
      while (!this.#stopConsuming.signal.aborted) {
        for (const message of await consumer.receive(BATCH, INVISIBLE_MS))
          await this.#consume(consumer, message, lateAcksMax)
      }
    } catch (failure) {
      if (this.#stopConsuming.signal.aborted) return
      this.#failure = failure
      this.#changed()
    }
  }

  /** The same, with an application that writes an exception down and asks again: for when the address of clients itself is away. */
  async keepConsumingAnyway(consumer: SimpleConsumer): Promise<void> {
    while (!this.#stopConsuming.signal.aborted) {
      try {
        const messages = await consumer.receive(BATCH, INVISIBLE_MS)
        await Promise.all(messages.map((message) => this.#consume(consumer, message)))
      } catch (failure) {
        this.consumerFailures.push(asError(failure))
        this.#changed()
        await once(AbortSignal.timeout(ASK_AGAIN_MS), 'abort')
      }
    }
  }

  /** A poll that is waiting may still wait; what becomes of it is of no interest. */
  stopConsuming(): void {
    this.#stopConsuming.abort()
  }

  /** After {@link stopConsuming}: another consumer may go on. */
  goOn(): void {
    this.#stopConsuming = new AbortController()
  }

  /** Resolves once `holds` does; looked at after every send and every acknowledgement. */
  reached(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#failure !== undefined) {
          end(() => reject(new Error('the application got an exception', { cause: this.#failure })))
        } else if (holds()) end(resolve)
      }
      const giveUp = setTimeout(() => {
        const totals = this.ledger.totals()
        const missing = this.ledger.missing().slice(0, 5)
        const failures = this.sendFailures.slice(-3).map(({ message }) => message)
        end(() =>
          reject(
            new Error(
              `stuck at ${JSON.stringify({ ...totals, consumed: this.consumed, missing, failures })}`,
            ),
          ),
        )
      }, GIVE_UP_MS)
      const end = (settle: () => void): void => {
        clearTimeout(giveUp)
        this.#watchers.delete(look)
        settle()
      }
      this.#watchers.add(look)
      look()
    })
  }

  async #consume(consumer: SimpleConsumer, message: MessageView, lateAcksMax = 0): Promise<void> {
    const number = Number(message.body.toString())
    this.ledger.received(number, performance.now())
    const ackedAt = this.#ackedAt.get(number)
    if (ackedAt !== undefined) this.repeats.push({ number, ackedAt })
    await this.#acknowledge(consumer, message, lateAcksMax)
    this.ledger.consumed(number)
    this.#ackedAt.set(number, performance.now())
    this.#changed()
  }

  async #acknowledge(consumer: SimpleConsumer, message: MessageView, lateAcksMax: number): Promise<void> {
    try {
      await consumer.ack(message)
    } catch (failure) {
      const late = asError(failure)
      if (!LATE.test(late.message) || this.lateAcks.length >= lateAcksMax) throw failure
      this.lateAcks.push(late)
      await this.#acknowledge(consumer, message, lateAcksMax)
    }
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure))
}
