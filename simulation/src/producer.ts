import { BrokerError, messageOf } from '@tandemmq/base'
import type { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import type { Answer } from './client-calls.ts'
import { within } from './deadline.ts'
import type { Gateway } from './gateway.ts'
import type { Entry, Fate, Ledger } from './ledger.ts'
import type { Plan } from './plan.ts'

export const TOPIC = 'orders'
const TIMEOUT_MS = 4_000
const HOST = { ip: '10.0.0.9', port: 40_000 }

export interface ProducerParts {
  readonly time: SimulatedClock
  readonly random: SeededRandom
  readonly plan: Plan
  readonly ledger: Ledger
  readonly gateway: () => Gateway | undefined
  readonly failed: (words: string) => void
}

/** Sends numbered messages, several at a time, and never one of them twice. */
export class Producer {
  readonly #parts: ProducerParts
  #count = 0
  #isOn = false
  #maySchedule = true

  constructor(parts: ProducerParts) {
    this.#parts = parts
  }

  start(maySchedule = true): void {
    this.#isOn = true
    this.#maySchedule = maySchedule
    this.#next()
  }

  stop(): void {
    this.#isOn = false
  }

  /** One message, whatever comes of it. */
  async send(mayBeScheduled = false): Promise<Entry> {
    const { time, random, plan, ledger, failed } = this.#parts
    this.#count += 1
    const id = `m${this.#count}`
    const isScheduled = mayBeScheduled && plan.scheduledOneIn > 0 && random.chance(1, plan.scheduledOneIn)
    const due = isScheduled ? time.now() + random.between(500, 5_000) : undefined
    const entry = ledger.sending(id, due)
    try {
      entry.fate = fateOf(await within(time, TIMEOUT_MS + 500, this.#handOver(id, due)))
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) failed(`a send failed: ${messageOf(thrown)}`)
      entry.fate =
        thrown instanceof BrokerError && thrown.code === 'NO_WRITABLE_BROKER' ? 'refused' : 'unknown'
    }
    return entry
  }

  #next(): void {
    if (!this.#isOn) return
    const { time, random, plan } = this.#parts
    void this.send(this.#maySchedule)
    time.after(random.between(plan.sendEveryMs.min, plan.sendEveryMs.max), () => this.#next())
  }

  #handOver(id: string, due: number | undefined): Promise<Answer> {
    const gateway = this.#parts.gateway()
    if (gateway === undefined) throw new BrokerError('NO_WRITABLE_BROKER', 'the gateway is down')
    const message = {
      topic: TOPIC,
      messageId: id,
      type: due === undefined ? ('NORMAL' as const) : ('DELAY' as const),
      body: Buffer.from(id.padEnd(this.#parts.random.between(id.length, 600), '.')),
      keys: [],
      userProperties: new Map<string, string>(),
      ...(due === undefined ? {} : { deliveryTimestamp: due }),
      bornTimestamp: this.#parts.time.now(),
      bornHost: HOST,
      compressed: false,
    }
    return gateway.send(message, TIMEOUT_MS)
  }
}

function fateOf(answer: Answer): Fate {
  if (answer.kind === 'sent') return answer.receipt.status === 'OK' ? 'ok' : 'stored'
  if (answer.kind !== 'failed') return 'unknown'
  switch (answer.why.code) {
    case 'NOT_WRITABLE':
    case 'IN_SYNC_REPLICAS_NOT_ENOUGH':
    case 'NO_WRITABLE_BROKER':
      return 'refused'
    default:
      return 'unknown'
  }
}
