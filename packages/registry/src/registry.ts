import { BrokerError, DeadlineTimer, EventTurns, type Clock, type Logger } from '@tandemmq/base'
import { KeptSets } from './kept-sets.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import type { PromotionRequest } from './promotion.ts'
import { Promotions, type Promoted } from './promotions.ts'
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
import { SetRecordsInMemory, type SetRecords } from './set-record.ts'
import { reportOf, servingOf, type MemberReport, type ServingView, type SetServing } from './serving-view.ts'

export interface RegistryPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** What must outlive this registry; absent: nothing does. */
  readonly records?: SetRecords
}

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
  readonly #kept: KeptSets
  readonly #promotions: Promotions
  #state: RegistryState
  #isClosed = false
  #nextSession = 1

  constructor(options: Partial<RegistryOptions>, ports: RegistryPorts) {
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#timer = new DeadlineTimer(ports.clock, () => this.#take({ kind: 'woken' }))
    const records = ports.records ?? new SetRecordsInMemory()
    this.#kept = new KeptSets(records, ports)
    this.#promotions = new Promotions(records, ports, {
      set: (name) => this.#state.sets.get(name),
      now: () => this.#now(),
      take: (event) => this.#take(event),
    })
    const all = { ...defaultRegistryOptions, ...options }
    this.#state = emptyRegistry(all, this.#now(), records.all)
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

  /** See {@link Promotions.promote}. */
  promote(request: PromotionRequest): Promise<Promoted> {
    return this.#promotions.promote(request)
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
    this.#kept.keep(this.#state.sets.values())
    this.#promotions.look()
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

function closing(): BrokerError {
  return new BrokerError('UNAVAILABLE', 'the registry is closing')
}
