import { BrokerError, type Clock, type Logger, type Meter } from '@tandemmq/base'
import { routeOfReceiptHandle } from '@tandemmq/codec'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import type { CallTarget, ConsumerPresence } from '../client-api/call-target.ts'
import { decoded } from '../client-api/decoded.ts'
import { endTransaction, recallMessage } from '../client-api/not-offered.ts'
import { ANSWER_MARGIN_MS } from '../client-api/polling-time.ts'
import { StatusError } from '../client-api/status-error.ts'
import type { RouteCatalog } from '../edge/route-catalog.ts'
import { ackShares, failedShare, mergedAckAnswer, type AckShare } from './ack-split.ts'
import type { BrokerChannels } from './broker-channel.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { GatewayPresence } from './gateway-presence.ts'
import { ReceiveCalls } from './receive-calls.ts'
import { SendCalls } from './send-calls.ts'
import { ServingCalls } from './serving-calls.ts'

/** How long the holder of a token is waited for by a call without a deadline. */
const PATIENCE_MS = 10_000

export interface GatewayParts {
  /** Who serves and who is writable, per set. */
  readonly view: ServingView
  readonly channels: BrokerChannels
  readonly catalog: RouteCatalog
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/**
 * Passes calls of clients to the broker that can answer them now. It reads only what decides where: the topic, the message group, the receipt
 * handle. That a broker was lost, or that another one serves now, clients do not notice, except for sends whose fate is unknown.
 */
export class Gateway implements CallTarget {
  readonly presence: ConsumerPresence
  readonly #parts: GatewayParts
  readonly #watch: ClusterWatch
  readonly #sends: SendCalls
  readonly #servings: ServingCalls
  readonly #receives: ReceiveCalls
  /** Ends a receive that waits, one each. */
  readonly #waiting = new Set<AbortController>()
  #isDraining = false

  constructor(parts: GatewayParts) {
    this.#parts = parts
    this.#watch = new ClusterWatch(parts.view, parts.channels, parts.clock)
    this.#sends = new SendCalls({ ...parts, watch: this.#watch })
    this.#servings = new ServingCalls({ ...parts, watch: this.#watch })
    this.#receives = new ReceiveCalls({ ...parts, servings: this.#servings })
    this.presence = new GatewayPresence(parts.view, parts.channels, parts.logger)
  }

  async call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void> {
    for (const message of await this.#answer(method, request, context)) reply(message)
  }

  /** From now on receives do not wait: those that do are told that there is no message, and everything else goes on. */
  drain(): void {
    this.#isDraining = true
    for (const one of this.#waiting) one.abort()
  }

  close(): void {
    this.#watch.close()
  }

  #answer(method: string, bytes: Uint8Array, context: CallContext): Promise<readonly Uint8Array[]> {
    switch (method) {
      case 'SendMessage':
        return this.#sends.call(
          bytes,
          decoded(() => rocketmq.SendMessageRequest.decode(bytes)),
          context,
        )
      case 'ReceiveMessage':
        return this.#receive(bytes, context)
      case 'AckMessage':
        return this.#ack(bytes, context)
      case 'ChangeInvisibleDuration': {
        const { receiptHandle } = decoded(() => rocketmq.ChangeInvisibleDurationRequest.decode(bytes))
        return this.#byHandle(method, bytes, receiptHandle, context)
      }
      case 'ForwardMessageToDeadLetterQueue': {
        const { receiptHandle } = decoded(() => rocketmq.ForwardMessageToDeadLetterQueueRequest.decode(bytes))
        return this.#byHandle(method, bytes, receiptHandle, context)
      }
      case 'EndTransaction':
        return endTransaction(decoded(() => rocketmq.EndTransactionRequest.decode(bytes)))
      case 'RecallMessage':
        return recallMessage(decoded(() => rocketmq.RecallMessageRequest.decode(bytes)))
      default:
        throw new BrokerError('ILLEGAL_ARGUMENT', 'no such method', { facts: { method } })
    }
  }

  async #receive(bytes: Uint8Array, context: CallContext): Promise<readonly Uint8Array[]> {
    const ending = new AbortController()
    const end = (): void => ending.abort(context.signal.reason)
    context.signal.addEventListener('abort', end, { once: true })
    this.#waiting.add(ending)
    if (this.#isDraining) ending.abort()
    try {
      const answer = await this.#receives.call(bytes, { ...context, signal: ending.signal })
      if (answer.length > 0 || context.signal.aborted) return answer
      throw new StatusError(rocketmq.Code.MESSAGE_NOT_FOUND, 'no message came before this service stopped')
    } finally {
      this.#waiting.delete(ending)
      context.signal.removeEventListener('abort', end)
    }
  }

  async #ack(bytes: Uint8Array, context: CallContext): Promise<readonly Uint8Array[]> {
    const request = decoded(() => rocketmq.AckMessageRequest.decode(bytes))
    const shares = ackShares(request)
    const [only] = shares
    if (only && only.places.length === request.entries.length) {
      return this.#onSet('AckMessage', bytes, only.set, context)
    }
    const answers = await Promise.all(shares.map((share) => this.#ackShare(share, context)))
    return [rocketmq.AckMessageResponse.encode(mergedAckAnswer(request, shares, answers)).finish()]
  }

  async #ackShare(
    { request, set }: AckShare,
    context: CallContext,
  ): Promise<rocketmq.AckMessageResponse | rocketmq.Status> {
    try {
      const bytes = rocketmq.AckMessageRequest.encode(request).finish()
      const [answer] = await this.#onSet('AckMessage', bytes, set, context)
      return rocketmq.AckMessageResponse.decode(answer ?? new Uint8Array())
    } catch (thrown) {
      return failedShare(thrown)
    }
  }

  async #byHandle(
    method: string,
    bytes: Uint8Array,
    receiptHandle: string,
    context: CallContext,
  ): Promise<readonly Uint8Array[]> {
    return this.#onSet(method, bytes, routeOfReceiptHandle(receiptHandle).set, context)
  }

  #onSet(
    method: string,
    bytes: Uint8Array,
    set: string,
    context: CallContext,
  ): Promise<readonly Uint8Array[]> {
    const waitUntil = (context.deadline ?? this.#parts.clock.monotonic() + PATIENCE_MS) - ANSWER_MARGIN_MS
    return this.#servings.call(method, bytes, context, { sets: [set], waitUntil })
  }
}
