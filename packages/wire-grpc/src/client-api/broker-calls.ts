import { BrokerError, type Clock } from '@tandemmq/base'
import type { CallContext, MessagingApi } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { ackMessage } from './ack-message.ts'
import { AutoRenewConsumers } from './auto-renew-consumers.ts'
import type { CallTarget, ConsumerPresence } from './call-target.ts'
import { changeInvisibleDuration } from './change-invisible-duration.ts'
import { decoded } from './decoded.ts'
import { statusOf } from './error-status.ts'
import { failureAnswer } from './failure-answer.ts'
import { forwardToDeadLetterQueue } from './forward-to-dead-letter-queue.ts'
import { endTransaction, recallMessage } from './not-offered.ts'
import { ANSWER_MARGIN_MS } from './polling-time.ts'
import { receiveMessage } from './receive-message.ts'
import { groupName } from './resource-names.ts'
import { sendMessage } from './send-message.ts'
import { TurnPace } from './turn-pace.ts'

/** The Go client polls again after 20 ms when it was refused: refusals of a receive are given this late. */
const RECEIVE_REFUSAL_MS = 1_000
/**
 * In one turn of the event loop so many receives are begun, and so many bytes of answers made; the rest follows in the next turns. Sixty receives of
 * 3 MiB in one turn took 1.3 s of a slow core: no status left the broker meanwhile, and it was taken for gone.
 */
const BEGUN_A_TURN = 4
const ANSWER_BYTES_A_TURN = 1024 * 1024

type Handler = (request: Uint8Array, context: CallContext) => Promise<readonly Uint8Array[]>

/** One broker's side of the client API: bytes in, bytes out, for calls that come directly and for those that a gateway forwards. */
export class BrokerCalls implements CallTarget {
  readonly #api: MessagingApi
  readonly #clock: Clock
  readonly #consumers: AutoRenewConsumers
  readonly #answers = new TurnPace(ANSWER_BYTES_A_TURN)
  readonly #begins = new TurnPace(BEGUN_A_TURN, () => !this.#answers.hasWaiting)
  readonly #handlers: ReadonlyMap<string, Handler>

  constructor(parts: { readonly api: MessagingApi; readonly clock: Clock }) {
    this.#api = parts.api
    this.#clock = parts.clock
    this.#consumers = new AutoRenewConsumers(parts.clock, (clientId, group) =>
      parts.api.clientGone(clientId, group),
    )
    this.#handlers = this.#table()
  }

  /** For the edge in the same process. */
  get presence(): ConsumerPresence {
    return this.#consumers
  }

  async call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void> {
    for (const message of await this.#answer(method, request, context)) reply(message)
  }

  close(): void {
    this.#consumers.close()
  }

  async #answer(method: string, request: Uint8Array, context: CallContext): Promise<readonly Uint8Array[]> {
    const handler = this.#handlers.get(method)
    if (!handler) throw new BrokerError('ILLEGAL_ARGUMENT', 'no such method', { facts: { method } })
    try {
      return await handler(request, context)
    } catch (thrown) {
      if (isRefusalOfStamp(thrown, context)) throw thrown
      const status = statusOf(thrown)
      if (status === undefined) throw thrown
      if (method === 'ReceiveMessage') await this.#slow(context)
      return failureAnswer(method, request, status, this.#clock.now())
    }
  }

  #table(): ReadonlyMap<string, Handler> {
    const parts = {
      api: this.#api,
      clock: this.#clock,
      consumers: this.#consumers,
      begins: this.#begins,
      answers: this.#answers,
    }
    const { api } = parts
    return new Map<string, Handler>([
      [
        'SendMessage',
        async (bytes, context) => {
          const request = decoded(() => rocketmq.SendMessageRequest.decode(bytes))
          return [rocketmq.SendMessageResponse.encode(await sendMessage(request, context, parts)).finish()]
        },
      ],
      [
        'ReceiveMessage',
        async (bytes, context) => {
          const request = decoded(() => rocketmq.ReceiveMessageRequest.decode(bytes))
          if (request.autoRenew) this.#consumers.seen(context.clientId, groupName(request.group))
          const frames = await receiveMessage(request, context, parts)
          return frames.map((frame) => rocketmq.ReceiveMessageResponse.encode(frame).finish())
        },
      ],
      [
        'AckMessage',
        async (bytes, context) => {
          const request = decoded(() => rocketmq.AckMessageRequest.decode(bytes))
          return [rocketmq.AckMessageResponse.encode(await ackMessage(request, context, api)).finish()]
        },
      ],
      [
        'ChangeInvisibleDuration',
        async (bytes, context) => {
          const request = decoded(() => rocketmq.ChangeInvisibleDurationRequest.decode(bytes))
          const answer = await changeInvisibleDuration(request, context, parts)
          return [rocketmq.ChangeInvisibleDurationResponse.encode(answer).finish()]
        },
      ],
      [
        'ForwardMessageToDeadLetterQueue',
        async (bytes, context) => {
          const request = decoded(() => rocketmq.ForwardMessageToDeadLetterQueueRequest.decode(bytes))
          const answer = await forwardToDeadLetterQueue(request, context, api)
          return [rocketmq.ForwardMessageToDeadLetterQueueResponse.encode(answer).finish()]
        },
      ],
      [
        'EndTransaction',
        async (bytes) => endTransaction(decoded(() => rocketmq.EndTransactionRequest.decode(bytes))),
      ],
      [
        'RecallMessage',
        async (bytes) => recallMessage(decoded(() => rocketmq.RecallMessageRequest.decode(bytes))),
      ],
      [
        'Heartbeat',
        async (bytes, context) => {
          const { group } = decoded(() => rocketmq.HeartbeatRequest.decode(bytes))
          this.#consumers.seen(context.clientId, groupName(group))
          return []
        },
      ],
      [
        'NotifyClientTermination',
        async (bytes, context) => {
          const { group } = decoded(() => rocketmq.NotifyClientTerminationRequest.decode(bytes))
          this.#consumers.gone(context.clientId, groupName(group))
          return []
        },
      ],
    ])
  }

  #slow(context: CallContext): Promise<void> {
    const left = (context.deadline ?? Number.POSITIVE_INFINITY) - this.#clock.monotonic() - ANSWER_MARGIN_MS
    const { signal } = context
    return new Promise((resolve) => {
      if (signal.aborted || left <= 0) return resolve()
      const done = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#clock.after(Math.min(RECEIVE_REFUSAL_MS, left), done)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

/** A gateway places such a call anew; only a client that came directly is told. */
function isRefusalOfStamp(thrown: unknown, context: CallContext): boolean {
  return thrown instanceof BrokerError && thrown.code === 'NOT_SERVING' && context.servingEpoch !== undefined
}
