import { BrokerError, type Clock, type Net } from '@tandemmq/base'
import type { OutgoingMessage, ReceiveRequest } from '@tandemmq/messaging'
import type { ServingView, SetServing } from '@tandemmq/registry'
import type { Answer, Call, Stamp } from './client-calls.ts'
import type { ClientService } from './client-service.ts'
import { GatewayChannel } from './gateway-channel.ts'

/** How long a send waits for a master (rule 6.1). */
const HOLD_MS = 2_000
/** Whoever has just failed is not asked again before this long has passed. */
const PAUSE_MS = 50
/** A holder that has no promise asks for one this often (rule 4.6). */
const UNPROMISED_PAUSE_MS = 300

export interface GatewayParts {
  readonly net: Net
  readonly clock: Clock
  readonly view: ServingView
  readonly service: ClientService
  /** Name of the one set. */
  readonly set: string
}

/** One for all: it costs a stack to make. */
const OVER = new BrokerError('UNAVAILABLE', 'this attempt is over')

/** Asks with the serving epoch it is given. */
type Stamped = (stamp: Stamp) => Call

interface Holder {
  readonly stamp: Stamp
  readonly channel: GatewayChannel
}

/**
 * A small stand-in for the gateway of wire-grpc, with the same rules: sends go to the writable master and never twice; what consumers
 * ask goes, stamped, to the holder of the serving token, is placed anew when the token moves, and what an earlier holder still says is
 * discarded (rules 4.3, 6.1).
 */
export class Gateway {
  readonly #parts: GatewayParts
  readonly #channels = new Map<string, GatewayChannel>()
  readonly #looks = new Set<() => void>()

  constructor(parts: GatewayParts) {
    this.#parts = parts
    parts.view.onChange(() => this.#look())
  }

  /** Whether whoever takes messages was heard since then (monotonic, ms), over a connection that is open. */
  hearsMaster(since: number): boolean {
    const { view, set } = this.#parts
    const channel = this.#openChannel(view.set(set)?.writable?.grpcAddress)
    return (channel?.heardAt ?? -1) >= since
  }

  /** Rejects with `NO_WRITABLE_BROKER` if nothing has left. */
  async send(message: OutgoingMessage, timeoutMs: number): Promise<Answer> {
    const { clock } = this.#parts
    const until = clock.monotonic() + timeoutMs
    const channel = await this.#first(
      (serving) => this.#openChannel(serving?.writable?.grpcAddress),
      Math.min(until, clock.monotonic() + HOLD_MS),
    )
    if (channel === undefined) throw new BrokerError('NO_WRITABLE_BROKER', 'no master takes messages now')
    const cancel = new AbortController()
    const late = this.#first(() => undefined, until).then(() => undefined)
    const answer = await Promise.race([
      channel.call({ kind: 'send', message, timeoutMs }, cancel.signal),
      late,
    ])
    if (answer === undefined) throw new BrokerError('FATE_UNKNOWN', 'no answer in time')
    if (answer.kind === 'failed' && answer.why.code === 'UNAVAILABLE') {
      throw new BrokerError('NO_WRITABLE_BROKER', answer.why.message)
    }
    return answer
  }

  receive(request: ReceiveRequest, timeoutMs: number): Promise<Answer> {
    return this.#fromHolder((stamp) => ({ kind: 'receive', stamp, request }), timeoutMs)
  }

  ack(group: string, topic: string, receiptHandles: readonly string[], timeoutMs: number): Promise<Answer> {
    const entries = receiptHandles.map((receiptHandle) => ({ receiptHandle, messageId: '' }))
    return this.#fromHolder((stamp) => ({ kind: 'ack', stamp, group, topic, entries }), timeoutMs)
  }

  async #fromHolder(ask: Stamped, timeoutMs: number): Promise<Answer> {
    const { clock } = this.#parts
    const until = clock.monotonic() + timeoutMs
    for (;;) {
      const holder = await this.#first((set) => this.#holder(set), until)
      if (holder === undefined) throw new BrokerError('NO_READABLE_BROKER', 'nobody serves consumers now')
      const answer = await this.#attempt(holder, ask(holder.stamp), until)
      if (clock.monotonic() >= until) throw new BrokerError('FATE_UNKNOWN', 'no answer in time')
      if (this.#isSuperseded(holder.stamp)) continue
      if (answer !== undefined && !mayGoElsewhere(answer)) return answer
      const pauseMs = holder.stamp.onPromise ? UNPROMISED_PAUSE_MS : PAUSE_MS
      await this.#superseded(holder, clock.monotonic() + pauseMs)
    }
  }

  /** One call, given up when the token moves and at `until`. */
  async #attempt(holder: Holder, call: Call, until: number): Promise<Answer | undefined> {
    const cancel = new AbortController()
    const moved = this.#superseded(holder, until, cancel.signal)
    const answer = await Promise.race([holder.channel.call(call, cancel.signal), moved.then(() => undefined)])
    cancel.abort(OVER)
    return answer
  }

  /** A newer epoch is known, or may be there already: what its holder says no longer counts. */
  #isSuperseded({ servingEpoch, onPromise }: Stamp): boolean {
    const { view, set } = this.#parts
    const { serving, retired = -1 } = view.set(set) ?? {}
    const isDoubtful = serving?.onPromise === true && serving.epoch === servingEpoch
    return (serving?.epoch ?? 0) > servingEpoch || retired >= servingEpoch || (isDoubtful && !onPromise)
  }

  #superseded({ stamp }: Holder, until: number, signal?: AbortSignal): Promise<true | undefined> {
    return this.#first(() => (this.#isSuperseded(stamp) ? true : undefined), until, signal)
  }

  #holder(set: SetServing | undefined): Holder | undefined {
    const serving = set?.serving
    const channel = this.#openChannel(serving?.grpcAddress)
    if (channel === undefined || serving === undefined) return undefined
    return { stamp: { servingEpoch: serving.epoch, onPromise: serving.onPromise === true }, channel }
  }

  #openChannel(address: string | undefined): GatewayChannel | undefined {
    if (address === undefined) return undefined
    const channel = this.#channel(address)
    return channel.isOpen ? channel : undefined
  }

  #channel(address: string): GatewayChannel {
    const known = this.#channels.get(address)
    if (known !== undefined) return known
    const [host = '', port = ''] = address.split(':')
    const { service, net, clock } = this.#parts
    const channel = new GatewayChannel(service.exchange, net, clock, { host, port: Number(port) }, () =>
      this.#look(),
    )
    this.#channels.set(address, channel)
    return channel
  }

  /** What `find` gives as soon as it gives something; undefined at `until`, or when `signal` aborts. */
  #first<T>(
    find: (set: SetServing | undefined) => T | undefined,
    until: number,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const { view, set, clock } = this.#parts
    const found = find(view.set(set))
    const leftMs = until - clock.monotonic()
    if (found !== undefined || leftMs <= 0) return Promise.resolve(found)
    return new Promise((resolve) => {
      const settle = (value: T | undefined): void => {
        this.#looks.delete(look)
        timer.cancel()
        resolve(value)
      }
      const look = (): void => {
        const value = find(view.set(set))
        if (value !== undefined) settle(value)
      }
      const timer = clock.after(leftMs, () => settle(undefined))
      signal?.addEventListener('abort', () => settle(undefined), { once: true })
      this.#looks.add(look)
    })
  }

  #look(): void {
    for (const look of this.#looks) look()
  }
}

function mayGoElsewhere(answer: Answer): boolean {
  return answer.kind === 'failed' && ['NOT_SERVING', 'UNAVAILABLE', 'FATE_UNKNOWN'].includes(answer.why.code)
}
