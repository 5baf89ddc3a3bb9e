import type { Clock, Timer } from '@tandemmq/base'
import { awayAfterMs, type Registration } from './registration.ts'

/** How often promises are asked for: a replica that heard the registry a little later than this broker does not promise at the first time. */
const ASK_MS = 300

export interface LeaseExtensionParts {
  readonly registration: Registration
  readonly clock: Clock
  /** Asks every connected slave to take no grant for one lease. */
  readonly ask: (question: number) => void
  /** Whoever could be given the token instead of this broker: known by identity. */
  readonly others: () => ReadonlySet<string>
  /** How many those are at least, by configuration. */
  readonly othersMin: number
}

/**
 * Keeps a master serving while the registry is away (rule 4.6): it asks every other replica, again and again, to take no grant for one lease, and goes
 * on while all of them promise. The registry may be away for this broker only: whoever still hears it promises nothing, and the lease ends.
 */
export class LeaseExtension {
  readonly #parts: LeaseExtensionParts
  readonly #promised = new Set<string>()
  #question = 0
  #askedAt = 0
  #askedUnder: number | undefined
  #timer: Timer

  constructor(parts: LeaseExtensionParts) {
    this.#parts = parts
    this.#timer = parts.clock.after(awayAfterMs, () => this.#due())
  }

  /** A slave has promised. Answers to an earlier question mean nothing: their time may be over. */
  promised(identity: string, question: number): void {
    if (question !== this.#question) return
    this.#promised.add(identity)
    this.#conclude()
  }

  stop(): void {
    this.#timer.cancel()
  }

  /** One timer, moved lazily: an answer of the registry does not touch it. */
  #due(): void {
    const { registration, clock } = this.#parts
    const quietMs = registration.silentForMs
    if (quietMs >= awayAfterMs) this.#ask()
    this.#timer = clock.after(quietMs >= awayAfterMs ? ASK_MS : awayAfterMs - quietMs, () => this.#due())
  }

  #ask(): void {
    const { registration, clock, ask } = this.#parts
    this.#askedUnder = registration.servingEpoch
    if (this.#askedUnder === undefined) return
    this.#promised.clear()
    this.#question = (this.#question % 0xffff_ffff) + 1
    this.#askedAt = clock.monotonic()
    ask(this.#question)
    this.#conclude()
  }

  #conclude(): void {
    const { registration, others, othersMin } = this.#parts
    const all = others()
    if (this.#askedUnder === undefined || all.size < othersMin) return
    for (const identity of all) if (!this.#promised.has(identity)) return
    registration.prolong(this.#askedUnder, this.#askedAt)
  }
}
