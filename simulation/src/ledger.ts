import type { Witness } from './client-calls.ts'
import { TIMER_TOPIC } from './put-timers.ts'

/**
 * What became of a send. `ok`: promised. `stored`: stored, but not as safe as promised. `unknown`: it may be there or not. `refused`: it must
 * not be there.
 */
export type Fate = 'pending' | 'ok' | 'stored' | 'unknown' | 'refused'

/** A delivery or an acknowledgement that the consumer knows of. */
export interface Contact extends Witness {
  readonly attempt: number
  /** Where its record is in the log. */
  readonly position: number
  /** Topic, queue and queue offset of its record. */
  readonly place: string
}

export interface Entry {
  readonly id: string
  /** When a scheduled message is due, wall clock, ms. */
  readonly due: number | undefined
  fate: Fate
  readonly delivered: Contact[]
  readonly acked: Contact[]
  /** An acknowledgement went out and was not answered: it may have been taken. */
  mayBeAcked: boolean
}

/** Every message that was ever tried to be sent, and all that consumers saw of it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>()
  /** Bodies received that nobody sent. */
  readonly phantoms: string[] = []
  #longestPauseMs = 0

  sending(id: string, due: number | undefined): Entry {
    const entry: Entry = { id, due, fate: 'pending', delivered: [], acked: [], mayBeAcked: false }
    this.#entries.set(id, entry)
    return entry
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  /** The longest time between two deliveries to any consumer, ms. */
  get longestPauseMs(): number {
    return this.#longestPauseMs
  }

  paused(ms: number): void {
    this.#longestPauseMs = Math.max(this.#longestPauseMs, ms)
  }

  /** Messages that were promised and have not been acknowledged by a consumer yet. */
  get outstanding(): readonly Entry[] {
    return this.entries.filter(
      ({ fate, acked, mayBeAcked }) => fate === 'ok' && acked.length === 0 && !mayBeAcked,
    )
  }

  /** What became of one message, as lines for people. */
  tell(id: string): readonly string[] {
    const entry = this.#entries.get(id)
    if (entry === undefined) return [`${id} was never sent`]
    const contacts = [
      ...entry.delivered.map((contact) => ({ ...contact, what: 'delivered' })),
      ...entry.acked.map((contact) => ({ ...contact, what: 'acknowledged' })),
    ].toSorted((one, other) => one.at - other.at)
    return [
      `${id}: ${entry.fate}${entry.due === undefined ? '' : `, scheduled`}`,
      ...contacts.map(
        ({ what, at, by, epoch, attempt }) =>
          `  ${at} ms: ${what} by ${by}, attempt ${attempt}, epoch ${epoch}`,
      ),
    ]
  }

  /** Scheduled messages that came out of the timer queue: their master was away when they were due (rule 5.6). */
  get servedDue(): number {
    return this.entries.filter(({ delivered }) =>
      delivered.some(({ place }) => place.startsWith(TIMER_TOPIC)),
    ).length
  }

  /** For people. */
  summary(): string {
    const { entries } = this
    const count = (test: (entry: Entry) => boolean): number => entries.filter(test).length
    const sent = entries.length
    const fate = (name: Fate): number => count((entry) => entry.fate === name)
    const received = count(({ delivered }) => delivered.length > 0)
    const twice = count(({ delivered }) => delivered.length > 1)
    return (
      `sent ${sent}: ok ${fate('ok')}, stored-but ${fate('stored')}, unknown ${fate('unknown')}, refused ${fate('refused')}; ` +
      `received ${received}, more than once ${twice}, lost ${count(({ fate: f, delivered }) => f === 'ok' && delivered.length === 0)}, due without a master ${this.servedDue}`
    )
  }
}
