import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { rocketmq } from '@tandemmq/rpc'
import type { Matrix } from '../matrix.ts'
import { GrpcCaller } from './grpc-call.ts'
import type { PortStand } from './port-stand.ts'

/** What no topic, group or client may be called. */
const hostileNames: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../escape',
  '..\\escape',
  '/etc/passwd',
  'a/b',
  'nul\u0000l',
  'new\nline',
  '\u001b[31mred',
  'x'.repeat(300),
  'Оrders',
  'Ｏrders',
  'a\u200bb',
  '\ud800',
  '__proto__.x',
]

const SERVICE = '/apache.rocketmq.v2.MessagingService/'
const endpoints = { scheme: rocketmq.AddressScheme.IPv4, addresses: [] }

/** Every entry of the client API at which a name comes in: the request that carries it. */
function entries(name: string): readonly (readonly [method: string, request: Uint8Array])[] {
  const topic = { resourceNamespace: '', name }
  const fine = { resourceNamespace: '', name: 'Honest' }
  const {
    AckMessageRequest,
    ChangeInvisibleDurationRequest,
    ForwardMessageToDeadLetterQueueRequest,
    QueryAssignmentRequest,
    QueryRouteRequest,
    ReceiveMessageRequest,
    SendMessageRequest,
  } = rocketmq
  const message = rocketmq.Message.create({
    topic,
    body: Buffer.from('x'),
    systemProperties: { messageId: '01'.padEnd(34, '0'), messageType: 1 },
  })
  const queue = (of: typeof topic) => ({
    topic: of,
    id: 0,
    permission: rocketmq.Permission.READ_WRITE,
    acceptMessageTypes: [],
  })
  const filterExpression = { type: rocketmq.FilterType.TAG, expression: '*' }
  const shortly = {
    longPollingTimeout: { seconds: 0, nanos: 1 },
    batchSize: 1,
    autoRenew: true,
    filterExpression,
  }
  return [
    ['QueryRoute', QueryRouteRequest.encode(QueryRouteRequest.create({ topic, endpoints })).finish()],
    [
      'QueryAssignment',
      QueryAssignmentRequest.encode(
        QueryAssignmentRequest.create({ topic, group: fine, endpoints }),
      ).finish(),
    ],
    ['SendMessage', SendMessageRequest.encode(SendMessageRequest.create({ messages: [message] })).finish()],
    [
      'ReceiveMessage',
      ReceiveMessageRequest.encode(
        ReceiveMessageRequest.create({ group: fine, messageQueue: queue(topic), ...shortly }),
      ).finish(),
    ],
    [
      'ReceiveMessage',
      ReceiveMessageRequest.encode(
        ReceiveMessageRequest.create({ group: topic, messageQueue: queue(fine), ...shortly }),
      ).finish(),
    ],
    [
      'AckMessage',
      AckMessageRequest.encode(
        AckMessageRequest.create({
          group: fine,
          topic,
          entries: [{ messageId: name, receiptHandle: name }],
        }),
      ).finish(),
    ],
    [
      'ChangeInvisibleDuration',
      ChangeInvisibleDurationRequest.encode(
        ChangeInvisibleDurationRequest.create({
          group: topic,
          topic: fine,
          receiptHandle: name,
          messageId: name,
          invisibleDuration: { seconds: 10, nanos: 0 },
        }),
      ).finish(),
    ],
    [
      'ForwardMessageToDeadLetterQueue',
      ForwardMessageToDeadLetterQueueRequest.encode(
        ForwardMessageToDeadLetterQueueRequest.create({
          group: topic,
          topic,
          receiptHandle: name,
          messageId: name,
          deliveryAttempt: 1,
          maxDeliveryAttempts: 1,
        }),
      ).finish(),
    ],
  ]
}

/** Hostile names at every entry of the client API, on every port that offers it. */
export async function wireNames(matrix: Matrix, stand: PortStand): Promise<void> {
  const expected = 'every call is refused with a 4xxxx, nothing new on disk'
  for (const service of ['metadata-rpc', 'broker-master', 'broker-slave']) {
    const attack = `${hostileNames.length} names at 8 entries`
    await matrix.row({ target: `${service} grpc`, attack, expected }, async () => {
      const before = topicsOnDisk(stand)
      const seen = await stand.measured(service, {}, () => tryNames(stand.address(service, 'grpc') ?? ''))
      const after = topicsOnDisk(stand)
      if (after.join() !== before.join()) throw new Error(`there is something new: ${after.join()}`)
      return seen
    })
  }
}

async function tryNames(address: string): Promise<string> {
  await using caller = new GrpcCaller(address)
  const calls = hostileNames.flatMap((name) =>
    entries(name).map(([method, request]) => ({ name, method, request })),
  )
  // Some refusals are held back for a second, so that nobody asks in a loop.
  await Promise.all(calls.map((call) => mustBeRefused(caller, call)))
  return `${calls.length} refused`
}

async function mustBeRefused(
  caller: GrpcCaller,
  { name, method, request }: { readonly name: string; readonly method: string; readonly request: Uint8Array },
): Promise<void> {
  const { message, status } = await caller.call(SERVICE + method, request)
  const code = message === undefined || message.length === 0 ? 0 : codeOf(method, message)
  if (status !== 0 || code < 40_000 || code >= 50_000) {
    throw new Error(`${method} of ${JSON.stringify(name)} ended with ${code}, status ${status}`)
  }
}

const decoders: Readonly<
  Record<string, { decode(bytes: Uint8Array): { readonly status?: rocketmq.Status | undefined } }>
> = {
  QueryRoute: rocketmq.QueryRouteResponse,
  QueryAssignment: rocketmq.QueryAssignmentResponse,
  SendMessage: rocketmq.SendMessageResponse,
  AckMessage: rocketmq.AckMessageResponse,
  ChangeInvisibleDuration: rocketmq.ChangeInvisibleDurationResponse,
  ForwardMessageToDeadLetterQueue: rocketmq.ForwardMessageToDeadLetterQueueResponse,
}

function codeOf(method: string, message: Buffer): number {
  const decoder = decoders[method]
  if (decoder !== undefined) return decoder.decode(message).status?.code ?? 0
  const { content } = rocketmq.ReceiveMessageResponse.decode(message)
  return content?.$case === 'status' ? content.value.code : 0
}

function topicsOnDisk({ cluster }: PortStand): readonly string[] {
  const of = (service: string): string[] => readdirSync(join(cluster.data, service, 'consumequeue'))
  return [...of('broker-master'), ...of('broker-slave'), ...readdirSync(cluster.data)].toSorted()
}
