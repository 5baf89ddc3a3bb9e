import { BrokerError, messageOf } from '@tandemmq/base'
import type { DeliveredMessage } from '@tandemmq/messaging'
import type { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import type { Answer, Witness } from './client-calls.ts'
import { within } from './deadline.ts'
import type { Gateway } from './gateway.ts'
import type { Contact, Entry, Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'
import { TOPIC } from './producer.ts'
import { placeOf } from './values.ts'

const GROUP = 'billing'
const POLL_MS = 3_000
const ACK_TIMEOUT_MS = 3_000
const PAUSE_MS = 100

export interface ConsumerParts {
  readonly time: SimulatedClock
  readonly random: SeededRandom
  readonly plan: Plan
  readonly ledger: Ledger
  readonly gateway: () => Gateway | undefined
  readonly received: (entry: Entry, witness: Witness) => void
  readonly failed: (words: string) => void
}

/** Received, and not acknowledged yet. */
interface Held {
  readonly entry: Entry
  readonly handle: string
  readonly seen: Pick<Contact, 'attempt' | 'position' | 'place'>
}

/** Receives without end and acknowledges a moment later; now and then it forgets to. */
export class Consumer {
  readonly #parts: ConsumerParts
  #isOn = true
  #heardAt: number | undefined

  constructor(parts: ConsumerParts) {
    this.#parts = parts
  }

  start(): void {
    void this.#run().catch((cause: unknown) => this.#parts.failed(`a consumer failed: ${messageOf(cause)}`))
  }

  stop(): void {
    this.#isOn = false
  }

  async #run(): Promise<void> {
    const { time, failed } = this.#parts
    while (this.#isOn) {
      try {
        const answer = await within(time, POLL_MS + 4_000, this.#poll())
        if (answer.kind === 'received') this.#take(answer.messages, answer.witness)
        else if (answer.kind === 'failed') await this.#pause()
      } catch (thrown) {
        if (!(thrown instanceof BrokerError)) failed(`a receive failed: ${messageOf(thrown)}`)
        await this.#pause()
      }
    }
  }

  #poll(): Promise<Answer> {
    const { batchSize, invisibleMs } = this.#parts.plan
    const request = {
      group: GROUP,
      topic: TOPIC,
      filter: { kind: 'all' as const },
      batchSize,
      invisibleMs,
      autoRenew: false,
      pollMs: POLL_MS,
    }
    const gateway = this.#parts.gateway()
    if (gateway === undefined) throw new BrokerError('UNAVAILABLE', 'the gateway is down')
    return gateway.receive(request, POLL_MS + 3_000)
  }

  #take(messages: readonly DeliveredMessage[], witness: Witness): void {
    if (messages.length === 0) return
    const { time, random, ledger, received } = this.#parts
    const now = time.monotonic()
    if (this.#heardAt !== undefined) ledger.paused(now - this.#heardAt)
    this.#heardAt = now
    const mine: Held[] = []
    for (const { record, receiptHandle, attempt } of messages) {
      const id = record.body.toString().replaceAll('.', '')
      const entry = ledger.find(id)
      if (entry === undefined) ledger.phantoms.push(id)
      else {
        received(entry, witness)
        const seen = { attempt, position: record.physicalOffset, place: placeOf(record) }
        entry.delivered.push({ ...witness, ...seen })
        mine.push({ entry, handle: receiptHandle, seen })
      }
    }
    // It forgets; but not the same one for ever, or a life ends before it is acknowledged.
    if (random.chance(1, 40) && mine.every(({ seen }) => seen.attempt < 3)) return
    time.after(random.between(0, 60), () => void this.#ack(mine))
  }

  async #ack(mine: readonly Held[]): Promise<void> {
    const { time, failed } = this.#parts
    const gateway = this.#parts.gateway()
    if (gateway === undefined) return
    const handles = mine.map(({ handle }) => handle)
    try {
      const answer = await within(
        time,
        ACK_TIMEOUT_MS + 500,
        gateway.ack(GROUP, TOPIC, handles, ACK_TIMEOUT_MS),
      )
      // Some of them may have been written down before there was no room any more.
      if (answer.kind === 'failed' && ['FATE_UNKNOWN', 'DISK_FULL'].includes(answer.why.code))
        throw answer.why
      if (answer.kind !== 'acked') return
      for (const [index, { entry, seen }] of mine.entries()) {
        if (answer.statuses[index] === 'OK') entry.acked.push({ ...answer.witness, ...seen })
      }
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) failed(`an acknowledgement failed: ${messageOf(thrown)}`)
      for (const { entry } of mine) entry.mayBeAcked = true
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.time.after(PAUSE_MS, resolve)
    })
  }
}
