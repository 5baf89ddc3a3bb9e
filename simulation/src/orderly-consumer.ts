import { BrokerError, messageOf } from '@tandemmq/base'
import type { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { within } from './deadline.ts'
import type { Gateway } from './gateway.ts'
import type { Held, OrderWatch } from './order-watch.ts'
import type { Plan } from './plan.ts'
import { TOPIC } from './producer.ts'

export const ORDERLY_GROUP = 'ledger'
const POLL_MS = 3_000
const ACK_TIMEOUT_MS = 3_000
const PAUSE_MS = 100
const BATCH_SIZE = 4

export interface OrderlyConsumerParts {
  readonly time: SimulatedClock
  readonly random: SeededRandom
  readonly plan: Plan
  readonly order: OrderWatch
  readonly gateway: () => Gateway | undefined
  readonly failed: (words: string) => void
}

/** Receives in order, works on what it has got for a while, acknowledges; now and then it forgets to. */
export class OrderlyConsumer {
  readonly #parts: OrderlyConsumerParts
  #isOn = true

  constructor(parts: OrderlyConsumerParts) {
    this.#parts = parts
  }

  start(): void {
    void this.#run().catch((cause: unknown) =>
      this.#parts.failed(`an orderly consumer failed: ${messageOf(cause)}`),
    )
  }

  stop(): void {
    this.#isOn = false
  }

  async #run(): Promise<void> {
    const { time, random } = this.#parts
    while (this.#isOn) {
      const held = await this.#receive()
      if (held.length === 0) await this.#pause(PAUSE_MS)
      else if (!random.chance(1, 20)) time.after(random.between(0, 1_500), () => void this.#ack(held))
    }
  }

  async #receive(): Promise<readonly Held[]> {
    const { time, plan, order, gateway, failed } = this.#parts
    const request = {
      group: ORDERLY_GROUP,
      topic: TOPIC,
      filter: { kind: 'all' as const },
      batchSize: BATCH_SIZE,
      invisibleMs: plan.invisibleMs,
      autoRenew: false,
      pollMs: POLL_MS,
    }
    const receiving = gateway()?.receive(request, POLL_MS + 3_000)
    if (receiving === undefined) return []
    try {
      const answer = await within(time, POLL_MS + 4_000, receiving)
      if (answer.kind === 'received') return order.given(answer.messages, answer.witness, plan.invisibleMs)
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) failed(`an orderly receive failed: ${messageOf(thrown)}`)
    }
    return []
  }

  async #ack(held: readonly Held[]): Promise<void> {
    const { time, gateway, failed } = this.#parts
    // From here on it may have been taken, whatever the answer says.
    for (const one of held) one.settle()
    const handles = held.map(({ receiptHandle }) => receiptHandle)
    const asked = gateway()?.ack(ORDERLY_GROUP, TOPIC, handles, ACK_TIMEOUT_MS)
    if (asked === undefined) return
    try {
      await within(time, ACK_TIMEOUT_MS + 500, asked)
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) failed(`an orderly acknowledgement failed: ${messageOf(thrown)}`)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.time.after(ms, resolve)
    })
  }
}
