import { BrokerError, messageOf, type Clock, type Logger, type Timer } from '@tandemmq/base'
import type { MemberHello } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import type { RegistryLink, RegistrySession } from './registry-link.ts'
import { step, wakeAt, type RegistryEffect, type RegistryEvent } from './registry-machine.ts'
import {
  defaultRegistryOptions,
  emptyRegistry,
  type Instant,
  type RegistryOptions,
  type RegistryState,
  type SessionId,
} from './registry-state.ts'
import { reportOf, servingOf, type MemberReport, type ServingView, type SetServing } from './serving-view.ts'

export interface RegistryPorts {
  readonly clock: Clock
  readonly logger: Logger
}

interface Subscriber {
  readonly onAnswer: (answer: RegistryAnswer) => void
  readonly onClosed: (why: BrokerError) => void
}

/**
 * Runs the registry machine: sessions in, answers out, one timer. It is the link itself for brokers in the same process, and what the gRPC
 * service hands its streams to.
 */
export class Registry implements RegistryLink {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #subscribers = new Map<SessionId, Subscriber>()
  readonly #listeners = new Set<(changed: SetServing) => void>()
  /** What listeners were last told, by set. */
  readonly #told = new Map<string, { readonly face: string; readonly serving: SetServing }>()
  readonly #queue: RegistryEvent[] = []
  #state: RegistryState
  #isDraining = false
  #isClosed = false
  #nextSession = 1
  #timer: Timer | undefined
  #timerAt = Infinity

  constructor(options: Partial<RegistryOptions>, ports: RegistryPorts) {
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#state = emptyRegistry({ ...defaultRegistryOptions, ...options }, this.#now())
  }

  open(
    hello: MemberHello,
    onAnswer: (answer: RegistryAnswer) => void,
    onClosed: (why: BrokerError) => void,
    signal?: AbortSignal,
  ): RegistrySession {
    const session = this.#nextSession++
    const close = (): void => {
      signal?.removeEventListener('abort', close)
      if (this.#subscribers.delete(session)) this.#take({ kind: 'left', session })
    }
    this.#subscribers.set(session, { onAnswer, onClosed })
    signal?.addEventListener('abort', close, { once: true })
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

  /** Ends all sessions. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    const subscribers = [...this.#subscribers.values()]
    this.#subscribers.clear()
    for (const subscriber of subscribers) subscriber.onClosed(closing())
  }

  #now(): Instant {
    return { at: this.#clock.monotonic(), wall: Math.floor(this.#clock.now()) }
  }

  /** One event at a time: what a subscriber does while it is told something waits its turn. */
  #take(event: RegistryEvent): void {
    if (this.#isClosed) return
    this.#queue.push(event)
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#apply(next)
    } finally {
      this.#isDraining = false
    }
    this.#arm()
  }

  #apply(event: RegistryEvent): void {
    const { state, effects } = step(this.#state, event, this.#now())
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    this.#tellListeners()
  }

  #perform(effect: RegistryEffect): void {
    switch (effect.kind) {
      case 'answer':
        this.#subscribers.get(effect.session)?.onAnswer(effect.answer)
        return
      case 'hang-up': {
        const subscriber = this.#subscribers.get(effect.session)
        this.#subscribers.delete(effect.session)
        this.#logger.warn({ why: messageOf(effect.why) }, 'hung up on a member')
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

  /** The armed timer is left alone unless it would be too late: it costs less to wake once too often than to re-arm for every status. */
  #arm(): void {
    if (this.#isClosed) return
    const now = this.#now()
    const at = wakeAt(this.#state, now) ?? Infinity
    if (at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(at - now.at)), () => {
      this.#timerAt = Infinity
      this.#take({ kind: 'woken' })
    })
  }
}

function closing(): BrokerError {
  return new BrokerError('UNAVAILABLE', 'the registry is closing')
}
