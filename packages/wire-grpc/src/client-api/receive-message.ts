import type { Clock } from '@tandemmq/base'
import type {
  CallContext,
  DeliveredMessage,
  MessagingApi,
  ReceiveAnswer,
  ReceiveRequest,
} from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { deliveredMessage } from './delivered-message.ts'
import { filterExpression } from './filter-expression.ts'
import { receiveInvisibleMs } from './invisible-time.ts'
import { pollingTimeMs } from './polling-time.ts'
import { groupName, topicName } from './resource-names.ts'
import { okStatus } from './status-error.ts'
import type { TurnPace } from './turn-pace.ts'

const BATCH_MAX = 32
/** The lease of messages under auto-renew; the broker prolongs it while the client lives. */
const AUTO_RENEW_INVISIBLE_MS = 60_000
/** When nobody takes what was delivered, it becomes visible again this soon. */
const UNTAKEN_INVISIBLE_MS = 1_000

const nothingNew: rocketmq.Status = { code: rocketmq.Code.MESSAGE_NOT_FOUND, message: 'no new message' }
const nothingMatches: rocketmq.Status = { code: rocketmq.Code.MESSAGE_NOT_FOUND, message: 'no match message' }

/** Frames in the order of Apache's proxy: the status, the messages, the time of delivery. Throws `StatusError` or `BrokerError`. */
export async function receiveMessage(
  request: rocketmq.ReceiveMessageRequest,
  context: CallContext,
  parts: {
    readonly api: MessagingApi
    readonly clock: Clock
    /** Receives; none is begun while answers wait for their turn, because what they hold stays in memory. */
    readonly begins: TurnPace
    /** Bytes of bodies. */
    readonly answers: TurnPace
  },
): Promise<readonly rocketmq.ReceiveMessageResponse[]> {
  const { api, clock, begins, answers } = parts
  const client = `${context.peer.ip}:${context.peer.port}`
  const begin = begins.enter(1, client, context.signal)
  if (begin) await begin
  const answer = await api.receive(receiveRequest(request, context, clock), context)
  const bytes = answer.messages.reduce((sum, { record }) => sum + record.body.length, 0)
  const turn = bytes === 0 ? undefined : answers.enter(bytes, client, context.signal)
  if (turn) await turn
  begins.look()
  if (context.signal.aborted) {
    await giveBack(answer.messages, context, api)
    return []
  }
  return receiveFrames(statusFor(answer), answer.messages.map(deliveredMessage), clock.now())
}

/** The frames of an answer. */
export function receiveFrames(
  status: rocketmq.Status,
  messages: readonly rocketmq.Message[],
  now: number,
): readonly rocketmq.ReceiveMessageResponse[] {
  return [
    { content: { $case: 'status', value: status } },
    ...messages.map((value) => ({ content: { $case: 'message' as const, value } })),
    { content: { $case: 'deliveryTimestamp', value: new Date(now) } },
  ]
}

/** The queue id is ignored, as Apache's proxy does: the Node client only ever asks for queue 0. */
function receiveRequest(
  request: rocketmq.ReceiveMessageRequest,
  context: CallContext,
  clock: Clock,
): ReceiveRequest {
  const topic = topicName(request.messageQueue?.topic)
  const group = groupName(request.group)
  const remainingMs = (context.deadline ?? Number.POSITIVE_INFINITY) - clock.monotonic()
  return {
    group,
    topic,
    filter: filterExpression(request.filterExpression),
    batchSize: Math.max(1, Math.min(request.batchSize, BATCH_MAX)),
    invisibleMs: request.autoRenew ? AUTO_RENEW_INVISIBLE_MS : receiveInvisibleMs(request.invisibleDuration),
    autoRenew: request.autoRenew,
    pollMs: pollingTimeMs(request.longPollingTimeout, remainingMs),
    ...(request.attemptId ? { attemptId: request.attemptId } : {}),
  }
}

function statusFor(answer: ReceiveAnswer): rocketmq.Status {
  if (answer.messages.length > 0) return okStatus
  return answer.filteredOnly ? nothingMatches : nothingNew
}

/** The client left while its messages were being fetched. */
async function giveBack(
  messages: readonly DeliveredMessage[],
  context: CallContext,
  api: MessagingApi,
): Promise<void> {
  await Promise.allSettled(
    messages.map((message) => api.changeInvisible(message.receiptHandle, UNTAKEN_INVISIBLE_MS, context)),
  )
}
