import { BrokerError, type Clock, type Counter, type Meter } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView } from '@tandemmq/registry'
import type { BrokerChannel, BrokerChannels } from './broker-channel.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import { oneAttempt } from './one-attempt.ts'

/** The gateway answers this long before its client gives up. */
const DEADLINE_MARGIN_MS = 150
/** For a call without a deadline. */
const PATIENCE_MS = 30_000
/** A holder that refuses its own epoch has not heard of its grant yet: it is asked again this soon. */
const FAILED_PAUSE_MS = 50
/** One that has no promise asks for one this often (rule 4.6). */
const UNPROMISED_PAUSE_MS = 300

export interface ServingCallsParts {
  readonly view: ServingView
  readonly channels: BrokerChannels
  readonly watch: ClusterWatch
  readonly clock: Clock
  readonly meter: Meter
}

/** Which sets can answer a call, best first, and how long the best is waited for when nobody serves. */
export interface Placement {
  readonly sets: readonly string[]
  /** Monotonic, ms. */
  readonly waitUntil: number
}

interface Holder {
  readonly set: string
  readonly epoch: number
  readonly onPromise: boolean
  readonly channel: BrokerChannel
}

/**
 * Calls that only the holder of a set's serving token may answer: polls, acknowledgements, changes of invisibility. Each is stamped with
 * the epoch. When the token moves, or the holder is lost, the call is placed anew on the new holder and what the old one still says is
 * discarded (rules 4.2, 4.3). All of them may be made twice.
 */
export class ServingCalls {
  readonly #parts: ServingCallsParts
  readonly #placedAnew: Counter

  constructor(parts: ServingCallsParts) {
    this.#parts = parts
    this.#placedAnew = parts.meter.counter(
      'rocketmq_ha_gateway_calls_placed_anew_total',
      'Calls of consumers that were moved to another holder of the serving token',
      ['method'],
    )
  }

  /**
   * The answer of whoever serves. Rejects with `NO_READABLE_BROKER` if nobody does until `placement.waitUntil`, with `FATE_UNKNOWN` if
   * there is no answer shortly before the client's deadline.
   */
  async call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    placement: Placement,
  ): Promise<readonly Uint8Array[]> {
    const { clock } = this.#parts
    const until = (context.deadline ?? clock.monotonic() + PATIENCE_MS) - DEADLINE_MARGIN_MS
    let failed: Holder | undefined
    for (;;) {
      const holder = await this.#find(placement, failed, context.signal)
      if (context.signal.aborted) return []
      if (!holder) throw nobodyServes(placement)
      if (clock.monotonic() >= until) throw noAnswerInTime()
      const end = await this.#attempt(method, request, context, { placement, holder, until })
      if (end.kind === 'answered' && !this.#isSuperseded(holder)) return end.messages
      if (context.signal.aborted) return []
      if (end.kind === 'late') throw noAnswerInTime()
      if (end.kind === 'failed' && !mayGoElsewhere(end.error)) throw end.error
      failed = end.kind === 'failed' ? holder : undefined
      this.#placedAnew.add(1, { method })
    }
  }

  /** Whom to ask. One that has just failed is asked again only after a pause, if nothing else turns up. */
  async #find(
    placement: Placement,
    failed: Holder | undefined,
    signal: AbortSignal,
  ): Promise<Holder | undefined> {
    const { watch, clock } = this.#parts
    if (failed) {
      const pauseMs = failed.onPromise ? UNPROMISED_PAUSE_MS : FAILED_PAUSE_MS
      const pauseUntil = Math.min(clock.monotonic() + pauseMs, placement.waitUntil)
      const other = await watch.first(() => this.#holder(placement, failed), pauseUntil, signal)
      if (other || signal.aborted) return other
    }
    return watch.first(() => this.#holder(placement), placement.waitUntil, signal)
  }

  /** One call on one holder, given up as soon as a better place is known. */
  async #attempt(
    method: string,
    request: Uint8Array,
    context: CallContext,
    place: { readonly placement: Placement; readonly holder: Holder; readonly until: number },
  ) {
    const { clock, watch } = this.#parts
    const { placement, holder, until } = place
    const over = new AbortController()
    const moved = new AbortController()
    void watch
      .first(() => (this.#isOutdone(holder, placement) ? true : undefined), until, over.signal)
      .then((isOutdone) => isOutdone && moved.abort())
    try {
      const { epoch, onPromise } = holder
      const stamped = { ...context, servingEpoch: epoch, ...(onPromise && { onPromise }) }
      return await oneAttempt(
        holder.channel,
        { method, request, context: stamped },
        { until, unwanted: moved.signal, clock },
      )
    } finally {
      over.abort()
    }
  }

  /** The best reachable holder; one that has just failed does not count. */
  #holder({ sets }: Placement, failed?: Holder): Holder | undefined {
    const { view, channels } = this.#parts
    for (const set of sets) {
      const serving = view.set(set)?.serving
      if (!serving) continue
      const { epoch, onPromise = false } = serving
      if (failed?.set === set && failed.epoch === epoch && failed.onPromise === onPromise) continue
      const channel = channels.to(serving.grpcAddress)
      if (channel.isOpen) return { set, epoch, onPromise, channel }
    }
    return undefined
  }

  /** A newer epoch is known, or may be there already: what this holder says no longer counts. */
  #isSuperseded({ set, epoch, onPromise }: Holder): boolean {
    const { serving, retired = -1 } = this.#parts.view.set(set) ?? {}
    const isDoubtful = serving?.onPromise === true && serving.epoch === epoch
    return (serving?.epoch ?? 0) > epoch || retired >= epoch || (isDoubtful && !onPromise)
  }

  /** Superseded, or only a stand-in for a better set that is back. */
  #isOutdone(holder: Holder, placement: Placement): boolean {
    if (this.#isSuperseded(holder)) return true
    const best = this.#holder(placement)
    return best !== undefined && placement.sets.indexOf(best.set) < placement.sets.indexOf(holder.set)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'NOT_SERVING'
}

/** The broker was lost, or refused the stamp. */
function mayGoElsewhere(error: unknown): boolean {
  return (
    isRefusal(error) || (error instanceof BrokerError && ['UNAVAILABLE', 'FATE_UNKNOWN'].includes(error.code))
  )
}

function nobodyServes({ sets }: Placement): BrokerError {
  return new BrokerError(
    'NO_READABLE_BROKER',
    `no broker serves consumers of ${sets.join(', ')} now, try again`,
    {
      facts: { sets: sets.join(',') },
    },
  )
}

function noAnswerInTime(): BrokerError {
  return new BrokerError('FATE_UNKNOWN', 'the broker gave no answer in time, try again')
}
