import { BrokerError, type Clock, type Meter } from '@tandemmq/base'
import { javaHash } from '@tandemmq/codec'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import { topicName, topicNotFound } from '../client-api/resource-names.ts'
import { StatusError } from '../client-api/status-error.ts'
import { isWritable, type RouteCatalog, type TopicPlacement } from '../edge/route-catalog.ts'
import type { BrokerChannel, BrokerChannels } from './broker-channel.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import { HeldSends } from './held-sends.ts'
import { oneAttempt } from './one-attempt.ts'

const { Code } = rocketmq

/** How long a send waits for a master that is away (rule 6.1). */
const HOLD_MS = 2_000
/** The client hears from us this long before it gives up. */
const DEADLINE_MARGIN_MS = 200
/** A channel that turned out to be broken is tried again this soon. */
const LOST_PAUSE_MS = 50
/** For a call without a deadline. */
const PATIENCE_MS = 10_000

export interface SendCallsParts {
  readonly view: ServingView
  readonly channels: BrokerChannels
  readonly watch: ClusterWatch
  readonly catalog: RouteCatalog
  readonly clock: Clock
  readonly meter: Meter
}

/**
 * Sends. What has left the gateway is never sent again: if its answer is lost, its fate is unknown and the client is told so. What has not left
 * waits shortly for a master, or, bound to no queue, goes to another set at once; also when the disk of its own is full.
 */
export class SendCalls {
  readonly #parts: SendCallsParts
  readonly #held = new HeldSends()
  #turn = 0

  constructor(parts: SendCallsParts) {
    this.#parts = parts
    parts.meter.observe(
      'rocketmq_ha_gateway_held_send_bytes',
      'Bytes of sends that wait for a master',
      [],
      () => [{ value: this.#held.bytes }],
    )
  }

  /** The answer of the master that took it. */
  async call(
    bytes: Uint8Array,
    request: rocketmq.SendMessageRequest,
    context: CallContext,
  ): Promise<readonly Uint8Array[]> {
    const { clock } = this.#parts
    const sets = await this.#setsFor(request)
    const now = clock.monotonic()
    const until = (context.deadline ?? now + PATIENCE_MS) - DEADLINE_MARGIN_MS
    const holdUntil = Math.min(now + HOLD_MS, until)
    let lost: BrokerChannel | undefined
    for (;;) {
      const channel = await this.#master(sets, bytes.length, { holdUntil, lost, signal: context.signal })
      if (context.signal.aborted) return []
      if (!channel) throw noMaster(sets)
      const end = await oneAttempt(
        channel,
        { method: 'SendMessage', request: bytes, context },
        { until, clock },
      )
      switch (end.kind) {
        case 'answered':
          return end.messages
        case 'unwanted':
          return []
        case 'late':
          throw fateUnknown('the broker gave no answer in time')
        case 'failed':
          if (!neverLeft(end.error)) throw end.error
          lost = channel
      }
    }
  }

  /** A master that can be sent to now, or within the hold. One that has just been lost is tried again only after a pause. */
  async #master(
    sets: readonly string[],
    bytes: number,
    limits: {
      readonly holdUntil: number
      readonly lost: BrokerChannel | undefined
      readonly signal: AbortSignal
    },
  ): Promise<BrokerChannel | undefined> {
    const { watch, clock } = this.#parts
    const { holdUntil, lost, signal } = limits
    const found = this.#openMaster(sets, lost)
    if (found) return found
    return this.#held.hold(bytes, async () => {
      if (lost) {
        const pauseUntil = Math.min(clock.monotonic() + LOST_PAUSE_MS, holdUntil)
        const other = await watch.first(() => this.#openMaster(sets, lost), pauseUntil, signal)
        if (other || signal.aborted || clock.monotonic() >= holdUntil) return other
      }
      return watch.first(() => this.#openMaster(sets), holdUntil, signal)
    })
  }

  #openMaster(sets: readonly string[], lost?: BrokerChannel): BrokerChannel | undefined {
    const { view, channels } = this.#parts
    let full: BrokerChannel | undefined
    for (const set of sets) {
      const writable = view.set(set)?.writable
      if (!writable) continue
      const channel = channels.to(writable.grpcAddress)
      if (!channel.isOpen || channel === lost) continue
      if (!writable.diskFull) return channel
      full ??= channel
    }
    return full // It says itself why it refuses.
  }

  /** The sets that may take it, best first. A message group is bound to one set, always the same. */
  async #setsFor(request: rocketmq.SendMessageRequest): Promise<readonly string[]> {
    const [first] = request.messages
    if (!first) throw new StatusError(Code.MESSAGE_CORRUPTED, 'no message to send')
    const sets = await this.#setsOf(topicName(first.topic))
    const group = request.messages.find((message) => message.systemProperties?.messageGroup)?.systemProperties
      ?.messageGroup
    const start = group ? Math.abs(javaHash(group) % sets.length) : this.#turn
    this.#turn = (this.#turn + 1) % 0x4000_0000
    const ordered = sets.map((_, index) => sets[(start + index) % sets.length] ?? '')
    return group ? ordered.slice(0, 1) : ordered
  }

  async #setsOf(topic: string): Promise<readonly string[]> {
    const { catalog, view } = this.#parts
    const known = catalog.topic(topic)
    const placements = known.length > 0 ? known : await catalog.createTopic(topic)
    const writable = placements.filter(isWritable)
    if (writable.length > 0) return sortedSets(writable)
    if (placements.length > 0) throw new StatusError(Code.FORBIDDEN, `no writable queue of topic ${topic}`)
    // The brokers know best; our copy of their topics may be younger than this one.
    const sets = view.sets.map(({ set }) => set).toSorted()
    if (sets.length === 0) throw topicNotFound(topic)
    return sets
  }
}

function sortedSets(placements: readonly TopicPlacement[]): readonly string[] {
  return placements.map(({ set }) => set).toSorted()
}

function neverLeft(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'UNAVAILABLE'
}

function fateUnknown(why: string): BrokerError {
  return new BrokerError(
    'FATE_UNKNOWN',
    `${why}: the message may have been stored; sent again, it may be there twice`,
  )
}

function noMaster(sets: readonly string[]): BrokerError {
  const names = sets.join(', ')
  return new BrokerError(
    'NO_WRITABLE_BROKER',
    `no master of ${names} takes messages now; nothing was stored, try again`,
    {
      facts: { sets: names },
    },
  )
}
