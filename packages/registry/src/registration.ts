import { BrokerError, messageOf, type Clock, type Logger, type Random, type Timer } from '@tandemmq/base'
import type { MemberHello, MemberStatus } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import type { RegistryLink, RegistrySession } from './registry-link.ts'
import { retryPauseMs } from './retry-pause.ts'
import { defaultRegistryOptions } from './registry-state.ts'
import { holderMarginMs, TokenHolder } from './token-holder.ts'

export interface RegistrationOptions {
  /** How often a status goes out when nothing changes; it renews the token. */
  readonly statusIntervalMs: number
  /** A session on which this many statuses in a row went out by the clock and nothing was answered is given up. */
  readonly unansweredMax: number
  /** The longest pause between two attempts; the first attempt after a loss has none (rule 4.8: at most 1 s). */
  readonly retryMaxMs: number
}

const defaultRegistrationOptions: RegistrationOptions = {
  statusIntervalMs: 500,
  unansweredMax: 10,
  retryMaxMs: 1000,
}

/** What the broker says about itself whenever it is asked. */
export interface RegistrationSource {
  hello(): Omit<MemberHello, 'heldLease' | 'seenServingEpoch'>
  /** `wants: 'nothing'` keeps the token away. */
  status(): Omit<MemberStatus, 'sequence' | 'renew' | 'release' | 'isGoodbye'>
}

export interface RegistrationPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A registry that has answered nothing for this long counts as away (rule 4.6). */
export const awayAfterMs = 1000
/** How long a promise to take no grant binds, and a lease that rests on such promises goes on: one lease. */
const promiseMs = defaultRegistryOptions.leaseMs

/** In an ordinary start the registry may listen later than a broker asks: so many attempts (about 4 s) fail in silence. */
const quietFailures = 8

/**
 * Keeps a broker registered: says hello, says its state every 500 ms and at once when it changes, renews the serving token with it, and
 * comes back by itself after every loss. What it may do meanwhile is {@link TokenHolder}'s to say.
 */
export class Registration {
  readonly holder = new TokenHolder()
  readonly #options: RegistrationOptions
  readonly #ports: RegistrationPorts
  readonly #link: RegistryLink
  readonly #source: RegistrationSource
  readonly #answerListeners = new Set<(answer: RegistryAnswer) => void>()
  readonly #servingListeners = new Set<(epoch: number | undefined) => void>()
  #session: RegistrySession | undefined
  /** Answers of sessions that are over mean nothing. */
  #generation = 0
  /** Of the present session, or the last one; monotonic, ms. */
  #openedAt = 0
  #sequence = 0
  #isChangePending = false
  #isAnswered = false
  #answer: RegistryAnswer | undefined
  #answeredAt: number
  #refusal: BrokerError | undefined
  #unanswered = 0
  #failures = 0
  #wasRegistered = false
  /** What was said last about being without the registry; until it answers again. */
  #toldTrouble: string | undefined
  #toldEpoch: number | undefined
  #statusTimer: Timer | undefined
  #leaseTimer: Timer | undefined
  #isClosed = false

  private constructor(
    options: Partial<RegistrationOptions>,
    ports: RegistrationPorts,
    link: RegistryLink,
    source: RegistrationSource,
  ) {
    this.#options = { ...defaultRegistrationOptions, ...options }
    this.#ports = ports
    this.#link = link
    this.#source = source
    this.#answeredAt = ports.clock.monotonic()
  }

  static start(
    options: Partial<RegistrationOptions>,
    ports: RegistrationPorts,
    link: RegistryLink,
    source: RegistrationSource,
  ): Registration {
    const registration = new Registration(options, ports, link, source)
    registration.#open()
    return registration
  }

  /** The epoch under which consumers may be answered now; `undefined`: not at all. Once closed nobody is: the token is given away. */
  get servingEpoch(): number | undefined {
    if (this.#isClosed) return undefined
    return this.holder.servingEpoch(this.#ports.clock.monotonic())
  }

  mayServe(): boolean {
    return this.servingEpoch !== undefined
  }

  /** The last answer; the members of the set as last heard. */
  get answer(): RegistryAnswer | undefined {
    return this.#answer
  }

  /** Heard from the registry on the present session. */
  get isRegistered(): boolean {
    return this.#session !== undefined && this.#isAnswered
  }

  /** For how long the registry has answered nothing, ms. */
  get silentForMs(): number {
    return this.#ports.clock.monotonic() - this.#answeredAt
  }

  /** It has answered nothing for so long that it counts as away (rule 4.6). */
  get isAway(): boolean {
    return this.silentForMs >= awayAfterMs
  }

  /**
   * Promises whoever holds the token to take no grant for one lease from now (rule 4.6). False: it is not promised, because the registry is
   * there and may give the token to this broker at any moment, or has.
   */
  abstain(): boolean {
    return this.isAway && this.#abstainOneLease()
  }

  /** A promise binds. */
  get isAbstaining(): boolean {
    return this.holder.isAbstaining(this.#ports.clock.monotonic())
  }

  /** An earlier process of this broker has promised: whatever it has, this one keeps. */
  keepEarlierPromise(): void {
    this.#abstainOneLease()
  }

  /** This broker serves, and nobody else does, whatever the registry has granted meanwhile. */
  get isPromised(): boolean {
    return this.holder.isPromised(this.#ports.clock.monotonic())
  }

  /** All others promised at or after `asked`, on the monotonic clock: the lease of this epoch goes on for one lease from then. */
  prolong(epoch: number, asked: number): void {
    this.holder.prolong(epoch, asked + promiseMs - holderMarginMs, this.#ports.clock.monotonic())
    this.#tellServing()
  }

  /** Why the registry refused this broker, until it accepts it. */
  get refusal(): BrokerError | undefined {
    return this.#refusal
  }

  /** `epoch` is undefined when serving ends, also when the lease runs out by itself. */
  onServing(listener: (epoch: number | undefined) => void): () => void {
    this.#servingListeners.add(listener)
    return () => this.#servingListeners.delete(listener)
  }

  onAnswer(listener: (answer: RegistryAnswer) => void): () => void {
    this.#answerListeners.add(listener)
    return () => this.#answerListeners.delete(listener)
  }

  /** Something of the status changed that the registry should know at once. Any number of calls in one turn make one status. */
  changed(): void {
    if (this.#isChangePending || this.#isClosed) return
    this.#isChangePending = true
    queueMicrotask(() => {
      this.#isChangePending = false
      this.#sendStatus()
    })
  }

  /** Stops answering consumers and keeps the token (rule 4.7). */
  seal(): void {
    this.holder.seal(this.#ports.clock.monotonic())
    this.#tellServing()
  }

  /** Takes the seal back, under a new epoch. */
  stay(): void {
    this.holder.stay()
    this.changed()
  }

  /** Gives the token to a member by name. */
  release(to: string): void {
    this.holder.release(to)
    this.#tellServing()
    this.changed()
  }

  /** `isGoodbye`: a master that appends nothing any more says so with its last words (rule 3.5). */
  close({ isGoodbye = false } = {}): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#generation++
    this.#statusTimer?.cancel()
    this.#leaseTimer?.cancel()
    const last = { ...this.#source.status(), sequence: ++this.#sequence, isGoodbye: true }
    this.#session?.close(isGoodbye ? last : undefined)
    this.#session = undefined
  }

  #abstainOneLease(): boolean {
    const now = this.#ports.clock.monotonic()
    return this.holder.abstain(now + promiseMs, now)
  }

  #open(): void {
    if (this.#isClosed) return
    const generation = ++this.#generation
    const { clock } = this.#ports
    const heldLease = this.holder.opening(clock.monotonic())
    const hello: MemberHello = {
      ...this.#source.hello(),
      ...(heldLease && { heldLease }),
      seenServingEpoch: this.holder.seenEpoch,
    }
    this.#sequence = 0
    this.#isAnswered = false
    this.#unanswered = 0
    this.#openedAt = clock.monotonic()
    this.#session = this.#link.open(
      hello,
      (answer) => {
        if (generation === this.#generation) this.#take(answer)
      },
      (why) => {
        if (generation === this.#generation) this.#lost(why)
      },
    )
    this.#sendStatus()
  }

  #sendStatus(): void {
    const session = this.#session
    // Between two sessions the timer is the one that opens the next.
    if (!session || this.#isClosed) return
    this.#statusTimer?.cancel()
    const now = this.#ports.clock.monotonic()
    const sequence = ++this.#sequence
    this.holder.sent(sequence, now)
    session.send({ ...this.#source.status(), ...this.holder.words(now), sequence })
    this.#statusTimer = this.#ports.clock.after(this.#options.statusIntervalMs, () => this.#beat())
  }

  /** Counts statuses, not time: a process that was itself stopped has sent none meanwhile. */
  #beat(): void {
    this.#unanswered++
    if (this.#unanswered <= this.#options.unansweredMax) {
      this.#sendStatus()
      return
    }
    this.#generation++
    this.#session?.close()
    this.#lost(new BrokerError('UNAVAILABLE', 'the registry does not answer'))
  }

  #take(answer: RegistryAnswer): void {
    this.#isAnswered = true
    this.#answeredAt = this.#ports.clock.monotonic()
    this.#wasRegistered = true
    this.#unanswered = 0
    this.#failures = 0
    this.#refusal = undefined
    this.#toldTrouble = undefined
    this.#answer = answer
    this.holder.answered(answer)
    this.#tellServing()
    for (const listener of this.#answerListeners) listener(answer)
  }

  #lost(why: BrokerError): void {
    this.#session = undefined
    this.#statusTimer?.cancel()
    if (why.code === 'PEER_REFUSED') this.#refusal = why
    this.#complain(why)
    const pauseMs = retryPauseMs(this.#failures, this.#options.retryMaxMs, this.#ports.random)
    this.#failures++
    this.#statusTimer = this.#ports.clock.after(pauseMs, () => this.#open())
  }

  /** Once per outage and once per refusal, not once per attempt. */
  #complain(why: BrokerError): void {
    const { clock, logger } = this.#ports
    const isRefused = why.code === 'PEER_REFUSED'
    const isOrdinary = !isRefused && !this.#wasRegistered && this.#failures < quietFailures
    const trouble = isRefused ? why.message : 'away'
    if (isOrdinary || trouble === this.#toldTrouble) {
      logger.debug({ why: messageOf(why), failures: this.#failures }, 'still not registered')
      return
    }
    this.#toldTrouble = trouble
    if (isRefused) logger.warn({ why: messageOf(why) }, 'the registry refuses this broker')
    else if (this.#wasRegistered) {
      const lastedMs = Math.round(clock.monotonic() - this.#openedAt)
      logger.warn({ why: messageOf(why), lastedMs }, 'registration lost; trying again')
    } else logger.warn({ why: messageOf(why) }, 'the registry cannot be reached; trying again')
  }

  /** Tells whoever listens when serving begins, ends or goes on under another epoch; sets the clock for the end of the lease. */
  #tellServing(): void {
    if (this.#isClosed) return
    const now = this.#ports.clock.monotonic()
    const epoch = this.holder.servingEpoch(now)
    this.#leaseTimer?.cancel()
    const until = this.holder.leaseEnd
    if (epoch !== undefined && until !== undefined) {
      this.#leaseTimer = this.#ports.clock.after(Math.max(0, Math.ceil(until - now)), () =>
        this.#tellServing(),
      )
    }
    if (epoch === this.#toldEpoch) return
    const isNew = epoch !== undefined
    this.#toldEpoch = epoch
    // The grant is counted from an old status: renew it at once, so that the lease is whole.
    if (isNew) this.changed()
    for (const listener of this.#servingListeners) listener(epoch)
  }
}
