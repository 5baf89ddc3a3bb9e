import {
  BrokerError,
  DeadlineTimer,
  EventTurns,
  messageOf,
  unreachable,
  type Clock,
  type Logger,
} from '@tandemmq/base'
import { laterOf } from './appointment.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import { judgePromotion, type PromotionRequest, type PromotionVerdict } from './promotion.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import type { RegistryLink, RegistrySession } from './registry-link.ts'
import { step, wakeAt } from './registry-machine.ts'
import {
  defaultRegistryOptions,
  emptyRegistry,
  type Instant,
  type RegistryOptions,
  type RegistryState,
  type SessionId,
} from './registry-state.ts'
import type { RegistryEffect, RegistryEvent } from './registry-step.ts'
import type { RelayAnswer, RelayHello, RelayLink, RelaySession } from './relay-link.ts'
import { SetRecordsInMemory, type SetRecord, type SetRecords } from './set-record.ts'
import { reportOf, servingOf, type MemberReport, type ServingView, type SetServing } from './serving-view.ts'

export interface RegistryPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** What must outlive this registry; absent: nothing does. */
  readonly records?: SetRecords
}

/** A promotion that was made. */
export interface Promoted {
  readonly set: string
  /** Identity of the new master. It opens its epoch as soon as it has heard of it. */
  readonly master: string
  readonly epoch: number
  /** By what right, and what is missing. */
  readonly words: string
}

type AppointingVerdict = Extract<PromotionVerdict, { kind: 'appoint' }>

/** How long a promotion waits for the old master to step down and for the slave to copy. */
const PATIENCE_MS = 15_000
/** After this a record that could not be written is tried again. */
const WRITE_AGAIN_MS = 5_000

interface Subscriber<Answer> {
  readonly onAnswer: (answer: Answer) => void
  readonly onClosed: (why: BrokerError) => void
}

/**
 * Runs the registry machine: sessions in, answers out, one timer. It is the link itself for brokers in the same process, and what the gRPC
 * service hands its streams to.
 */
export class Registry implements RegistryLink, RelayLink {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #subscribers = new Map<SessionId, Subscriber<RegistryAnswer>>()
  readonly #relays = new Map<SessionId, Subscriber<RelayAnswer>>()
  readonly #listeners = new Set<(changed: SetServing) => void>()
  /** What listeners were last told, by set. */
  readonly #told = new Map<string, { readonly face: string; readonly serving: SetServing }>()
  readonly #turns = new EventTurns<RegistryEvent>(
    (event) => this.#apply(event),
    () => this.#arm(),
  )
  readonly #timer: DeadlineTimer
  readonly #records: SetRecords
  /** Promotions under way, by set; each looks again when something has changed. */
  readonly #promotions = new Map<string, () => void>()
  #lastPromotion = 0
  /** Decided, and perhaps on disk. */
  readonly #unwritten = new Map<string, AppointingVerdict>()
  /** When what members have said is written again, since that failed; monotonic. */
  #writeAgainAt = Infinity
  #state: RegistryState
  #isClosed = false
  #nextSession = 1

  constructor(options: Partial<RegistryOptions>, ports: RegistryPorts) {
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#timer = new DeadlineTimer(ports.clock, () => this.#take({ kind: 'woken' }))
    this.#records = ports.records ?? new SetRecordsInMemory()
    const all = { ...defaultRegistryOptions, ...options }
    this.#state = emptyRegistry(all, this.#now(), this.#records.all)
  }

  open(
    hello: MemberHello,
    onAnswer: (answer: RegistryAnswer) => void,
    onClosed: (why: BrokerError) => void,
    signal?: AbortSignal,
  ): RegistrySession {
    const session = this.#nextSession++
    const close = (last?: MemberStatus): void => {
      signal?.removeEventListener('abort', abort)
      if (!this.#subscribers.delete(session)) return
      // What was said before comes before.
      queueMicrotask(() => {
        if (last !== undefined) this.#take({ kind: 'heard', session, status: last })
        this.#take({ kind: 'left', session })
      })
    }
    const abort = (): void => close()
    this.#subscribers.set(session, { onAnswer, onClosed })
    signal?.addEventListener('abort', abort, { once: true })
    queueMicrotask(() => {
      if (signal?.aborted) close()
      else if (this.#isClosed && this.#subscribers.delete(session)) onClosed(closing())
      else if (this.#subscribers.has(session)) this.#take({ kind: 'joined', session, hello })
    })
    return {
      send: (status) => {
        if (!this.#subscribers.has(session)) return
        queueMicrotask(() => this.#take({ kind: 'heard', session, status }))
      },
      close,
    }
  }

  follow(
    hello: RelayHello,
    onAnswer: (answer: RelayAnswer) => void,
    onClosed: (why: BrokerError) => void,
  ): RelaySession {
    const session = this.#nextSession++
    this.#relays.set(session, { onAnswer, onClosed })
    queueMicrotask(() => {
      if (this.#isClosed && this.#relays.delete(session)) onClosed(closing())
      else if (this.#relays.has(session)) this.#take({ kind: 'relay-joined', session, hello })
    })
    return {
      send: (status) => {
        if (this.#relays.has(session))
          queueMicrotask(() => this.#take({ kind: 'relay-heard', session, status }))
      },
      close: () => {
        if (this.#relays.delete(session)) queueMicrotask(() => this.#take({ kind: 'relay-left', session }))
      },
    }
  }

  /** Who serves and who is writable, per set. */
  get view(): ServingView {
    const setsNow = (): readonly SetServing[] =>
      [...this.#state.sets.values()].map((set) => servingOf(this.#state, set, this.#now()))
    return {
      get sets() {
        return setsNow()
      },
      set: (name) => {
        const set = this.#state.sets.get(name)
        return set && servingOf(this.#state, set, this.#now())
      },
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  /** Everything its members last said, for status and the admin API. */
  report(set: string): readonly MemberReport[] {
    const state = this.#state.sets.get(set)
    return state ? reportOf(this.#state, state, this.#now()) : []
  }

  /**
   * Makes a slave the master of its set (rule 3.5): asks the old master to step down if it answers, waits until the slave has copied what it can,
   * writes down the new epoch, and only then tells everybody. Resolves with what was done, in words. Rejects with `PROMOTION_REFUSED` and the reason when
   * that could lose an acknowledged message or make two masters; with `UNAVAILABLE` when it could not be written down: the set then takes no
   * messages before it is tried again.
   */
  async promote(request: PromotionRequest): Promise<Promoted> {
    const { set } = request
    if (this.#promotions.has(set)) throw refused(`another promotion in ${set} is under way`)
    const number = Math.max(this.#lastPromotion + 1, this.#now().wall)
    this.#lastPromotion = number
    try {
      const decided = this.#unwritten.get(set) ?? (await this.#judged(request, number))
      const { appointment, words } = decided
      // From here on it may be on disk, whatever becomes of the write: nothing else may be decided, and whoever was master takes no messages.
      this.#unwritten.set(set, decided)
      this.#take({ kind: 'step-down', set, promotion: number })
      await this.#records.put({ set, logEpoch: appointment.epoch, appointment })
      this.#unwritten.delete(set)
      this.#take({ kind: 'appointed', set, appointment })
      this.#logger.warn({ set, ...appointment, why: words }, 'another master was appointed')
      return { set, master: appointment.identity, epoch: appointment.epoch, words }
    } finally {
      this.#promotions.delete(set)
      if (!this.#unwritten.has(set)) this.#take({ kind: 'step-down', set, promotion: undefined })
    }
  }

  /** Ends all sessions. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer.cancel()
    const subscribers = [...this.#subscribers.values(), ...this.#relays.values()]
    this.#subscribers.clear()
    this.#relays.clear()
    for (const subscriber of subscribers) subscriber.onClosed(closing())
  }

  /** Resolves when the promotion may be written down. */
  #judged(request: PromotionRequest, number: number): Promise<AppointingVerdict> {
    return new Promise((resolve, reject) => {
      let words = ''
      const began = this.#now().at
      const look = (): void => {
        const set = this.#state.sets.get(request.set)
        const verdict = judgePromotion(set, request, { promotion: number, began }, this.#now())
        switch (verdict.kind) {
          case 'appoint':
            return end(() => resolve(verdict))
          case 'refuse':
            return end(() => reject(refused(verdict.words)))
          case 'listen':
            words = verdict.words
            return
          case 'wait':
            words = verdict.words
            if (set?.stepDown !== number)
              this.#take({ kind: 'step-down', set: request.set, promotion: number })
            return
          default:
            return unreachable(verdict)
        }
      }
      const late = this.#clock.after(PATIENCE_MS, () =>
        end(() => reject(refused(`not within ${PATIENCE_MS / 1_000} s: ${words}`))),
      )
      const end = (settle: () => void): void => {
        late.cancel()
        this.#promotions.set(request.set, () => undefined)
        settle()
      }
      this.#promotions.set(request.set, look)
      look()
    })
  }

  /** What members have said that must be known after the next start. */
  #keep(): void {
    for (const { name, logEpoch, appointment } of this.#state.sets.values()) {
      const kept = this.#records.all.find(({ set }) => set === name)
      const newest = laterOf(kept?.appointment, appointment)
      if (kept !== undefined && kept.logEpoch >= logEpoch && kept.appointment === newest) continue
      const record: SetRecord = {
        set: name,
        logEpoch: Math.max(logEpoch, kept?.logEpoch ?? 0),
        ...(newest && { appointment: newest }),
      }
      this.#write(record)
    }
    // One for all: whatever is written has what was put before.
    const [any] = this.#records.all
    if (any !== undefined && this.#now().at >= this.#writeAgainAt) this.#write(any)
  }

  #write(record: SetRecord): void {
    this.#writeAgainAt = Infinity
    this.#records.put(record).catch((cause: unknown) => {
      this.#writeAgainAt = this.#now().at + WRITE_AGAIN_MS
      this.#logger.error(
        { set: record.set, why: messageOf(cause) },
        'what is known of this broker set cannot be kept',
      )
    })
  }

  #now(): Instant {
    return { at: this.#clock.monotonic(), wall: Math.floor(this.#clock.now()) }
  }

  #take(event: RegistryEvent): void {
    if (!this.#isClosed) this.#turns.take(event)
  }

  #apply(event: RegistryEvent): void {
    const { state, effects } = step(this.#state, event, this.#now())
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    this.#tellListeners()
    this.#keep()
    for (const look of this.#promotions.values()) look()
  }

  #perform(effect: RegistryEffect): void {
    switch (effect.kind) {
      case 'answer':
        this.#subscribers.get(effect.session)?.onAnswer(effect.answer)
        return
      case 'tell-relay':
        this.#relays.get(effect.session)?.onAnswer(effect.answer)
        return
      case 'hang-up': {
        const { session } = effect
        const subscriber = this.#subscribers.get(session) ?? this.#relays.get(session)
        this.#subscribers.delete(session)
        this.#relays.delete(session)
        this.#logger.warn({ why: messageOf(effect.why) }, 'hung up on a member or a relay')
        subscriber?.onClosed(effect.why)
        return
      }
      case 'granted':
        this.#logger.info(
          { set: effect.set, epoch: effect.epoch, holder: effect.holder },
          'serving token granted',
        )
    }
  }

  #tellListeners(): void {
    for (const set of this.#state.sets.values()) {
      if (this.#told.get(set.name)?.face === set.face) continue
      const serving = servingOf(this.#state, set, this.#now())
      this.#told.set(set.name, { face: set.face, serving })
      for (const listener of this.#listeners) listener(serving)
    }
  }

  #arm(): void {
    if (!this.#isClosed) this.#timer.arm(wakeAt(this.#state, this.#now()))
  }
}

function refused(words: string): BrokerError {
  return new BrokerError('PROMOTION_REFUSED', words)
}

function closing(): BrokerError {
  return new BrokerError('UNAVAILABLE', 'the registry is closing')
}
