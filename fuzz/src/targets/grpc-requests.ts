import { BrokerError, silentLogger, silentMeter } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView, SetServing } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { BrokerCalls, Gateway, type CallTarget } from '@tandemmq/wire-grpc'
import { claim } from '../engine/claim.ts'
import { checkedRefusal } from '../engine/refusal.ts'
import type { Target, Verdict } from '../target.ts'
import { StrictMessaging } from '../worlds/strict-messaging.ts'

/** Each method of the client API, and how its answer is read. */
const METHODS = {
  SendMessage: (bytes: Uint8Array) => rocketmq.SendMessageResponse.decode(bytes),
  ReceiveMessage: (bytes: Uint8Array) => rocketmq.ReceiveMessageResponse.decode(bytes),
  AckMessage: (bytes: Uint8Array) => rocketmq.AckMessageResponse.decode(bytes),
  ChangeInvisibleDuration: (bytes: Uint8Array) => rocketmq.ChangeInvisibleDurationResponse.decode(bytes),
  ForwardMessageToDeadLetterQueue: (bytes: Uint8Array) =>
    rocketmq.ForwardMessageToDeadLetterQueueResponse.decode(bytes),
  EndTransaction: (bytes: Uint8Array) => rocketmq.EndTransactionResponse.decode(bytes),
  RecallMessage: (bytes: Uint8Array) => rocketmq.RecallMessageResponse.decode(bytes),
  Heartbeat: (bytes: Uint8Array) => rocketmq.HeartbeatResponse.decode(bytes),
  NotifyClientTermination: (bytes: Uint8Array) => rocketmq.NotifyClientTerminationResponse.decode(bytes),
} as const
export const methodNames = Object.keys(METHODS)

/** A request of the client API, as protobuf bytes, to a broker and to a gateway before it. The first byte says which method. */
export const grpcRequests: Target = {
  name: 'grpc-requests',
  holds:
    'answers that can be read, or a typed error; what reaches the broker is within what its interface says: names of the whitelist, sizes, times; through a gateway it is the same',
  allocation: { baseBytes: 8 * 1024 * 1024, perInputByte: 256 },
  async run(input) {
    const method = methodNames[(input[0] ?? 0) % methodNames.length] ?? ''
    const request = input.subarray(1)
    const clock = new SimulatedClock()
    const api = new StrictMessaging()
    const broker = new BrokerCalls({ api, clock })
    const gateway = gatewayBefore(broker, clock)
    await call(clock, broker, method, request)
    const direct = api.calls
    await call(clock, gateway, method, request)
    broker.close()
    gateway.close()
    return direct > 0 ? 'taken' : 'refused'
  },
}

export async function call(
  clock: SimulatedClock,
  target: CallTarget,
  method: string,
  request: Uint8Array,
): Promise<Verdict> {
  const answers: Uint8Array[] = []
  const controller = new AbortController()
  const context: CallContext = {
    clientId: 'client',
    peer: { ip: '10.0.0.1', port: 4000 },
    language: 'NODE_JS',
    clientVersion: '1.0.8',
    deadline: clock.monotonic() + 30_000,
    signal: controller.signal,
  }
  try {
    await clock.outcome(
      target.call(method, request, context, (message) => answers.push(message)),
      120_000,
    )
  } catch (error) {
    if (!(error instanceof BrokerError) && !isStatus(error)) throw error
    if (error instanceof BrokerError) checkedRefusal(EXPECTED, error)
    return 'refused'
  }
  const decode = Object.entries(METHODS).find(([name]) => name === method)?.[1]
  for (const answer of answers) claim(decode?.(answer) !== undefined, 'an answer can be read')
  return 'taken'
}

const EXPECTED = [
  'ILLEGAL_ARGUMENT',
  'RECEIPT_HANDLE_INVALID',
  'NOT_SERVING',
  'NO_READABLE_BROKER',
  'NO_WRITABLE_BROKER',
  'TOPIC_NOT_FOUND',
  'GROUP_NOT_FOUND',
  'MESSAGE_ILLEGAL',
  'UNAVAILABLE',
] as const

/** A refusal in words of the client API; the edge makes an answer of it. */
function isStatus(error: unknown): boolean {
  return error instanceof Error && error.name === 'StatusError' && 'code' in error
}

/** One set, one broker, reached at once. */
function gatewayBefore(broker: BrokerCalls, clock: SimulatedClock): Gateway {
  const member = { identity: 'broker-0', grpcAddress: 'b:1' }
  const set: SetServing = {
    cluster: 'c',
    set: 'broker-a',
    serving: { ...member, epoch: 1, suspect: false },
    writable: { ...member, logEpoch: 1, diskFull: false },
    members: [],
  }
  const view: ServingView = {
    sets: [set],
    set: (name) => (name === set.set ? set : undefined),
    onChange: () => () => {},
  }
  const channel = { isOpen: true, call: broker.call.bind(broker) }
  const channels = { to: () => channel, onChange: () => () => {} }
  const placement = { set: set.set, readQueues: 4, writeQueues: 4, perm: 6, type: 'MIXED' } as const
  const catalog = {
    topic: () => [placement],
    group: () => ({ orderly: false, retryMaxTimes: 16 }),
    createTopic: async () => [placement],
  }
  return new Gateway({ view, channels, catalog, clock, logger: silentLogger, meter: silentMeter })
}
