import { silentLogger } from '@tandemmq/base'
import { decodeProperties, decodeRecord } from '@tandemmq/codec'
import type { CallContext } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { BrokerCalls } from './client-api/broker-calls.ts'
import { deliveredMessage } from './client-api/delivered-message.ts'
import { ClientEdge } from './edge/client-edge.ts'
import type { RouteCatalog, TopicKind } from './edge/route-catalog.ts'
import { settingsAnswer } from './edge/settings-answer.ts'
import {
  goldenBytes,
  goldenCall,
  goldenCalls,
  goldenLogFrom,
  type GoldenCall,
} from './golden-calls.test-support.ts'
import { MemoryMessaging } from './memory-messaging.test-support.ts'

const { Code } = rocketmq
const LONG_TOPIC = nameOfTopic(goldenCall(19))

/** The topics of the recorded broker. */
const TOPICS: ReadonlyMap<string, TopicKind> = new Map([
  ['GoldenNormal', 'NORMAL'],
  ['GoldenBatch', 'NORMAL'],
  ['GoldenFifo', 'FIFO'],
  ['GoldenDelay', 'DELAY'],
  ['GoldenTx', 'TRANSACTION'],
  [LONG_TOPIC, 'NORMAL'],
])

interface Difference {
  readonly codes: readonly number[]
  readonly why: string
}

const stopsItsClient = (...codes: readonly number[]): Difference => ({
  codes,
  why: 'a broken handle stops its client',
})
const notYet: Difference = { codes: [Code.NOT_IMPLEMENTED], why: 'no transactions and no recall yet' }

/** Where we answer otherwise, knowingly: our codes in the order of the answer's statuses, and why. */
const DIFFERENT: ReadonlyMap<number, Difference> = new Map<number, Difference>([
  [41, { codes: [Code.OK, Code.OK, Code.OK], why: 'an entry for each message, not one for the batch' }],
  [63, { codes: [Code.OK], why: 'heartbeats of unknown clients are welcome' }],
  [78, { codes: [Code.MESSAGE_NOT_FOUND], why: 'a short deadline gets what there is at once' }],
  [86, stopsItsClient(Code.MULTIPLE_RESULTS, Code.OK, Code.INVALID_RECEIPT_HANDLE)],
  [87, stopsItsClient(Code.INVALID_RECEIPT_HANDLE, Code.INVALID_RECEIPT_HANDLE)],
  [89, stopsItsClient(Code.INVALID_RECEIPT_HANDLE)],
  [90, stopsItsClient(Code.INVALID_RECEIPT_HANDLE)],
  ...[11, 14, 15, 16, 17, 98, 100, 101, 102, 103, 104, 105].map((call): [number, Difference] => [
    call,
    notYet,
  ]),
])

/** Statuses whose words are our own. */
const OWN_WORDS: ReadonlySet<number> = new Set([
  Code.MESSAGE_PROPERTY_CONFLICT_WITH_TYPE,
  Code.INTERNAL_SERVER_ERROR,
])

const ANSWERED = goldenCalls.filter(({ method, status }) => status === 0 && method !== 'Telemetry')

describe('the requests of the recording', () => {
  test.each(ANSWERED.map((call) => [call.call, call.method, call] as const))(
    '%i %s is answered with the same codes, or knowingly otherwise',
    async (number, method, call) => {
      const theirs = statusesOf(method, goldenBytes(call, 'response'))
      const ours = statusesOf(method, await answered(call, theirs))
      const different = DIFFERENT.get(number)
      expect(ours.map(({ code }) => code)).toEqual(different?.codes ?? theirs.map(({ code }) => code))
      if (different) {
        expect(ours.map(({ code }) => code)).not.toEqual(theirs.map(({ code }) => code))
        return
      }
      for (const [index, { code, message }] of ours.entries()) {
        if (!OWN_WORDS.has(code) && code !== Code.INVALID_RECEIPT_HANDLE)
          expect(message).toBe(wordsOf(theirs[index]))
      }
    },
  )

  test('routes are those of the genuine proxy', async () => {
    for (const call of ANSWERED.filter(({ method }) => method === 'QueryRoute')) {
      const [answer] = await answered(call, [])
      const ours = rocketmq.QueryRouteResponse.decode(answer ?? new Uint8Array())
      const [golden] = goldenBytes(call, 'response')
      expect(ours).toEqual(rocketmq.QueryRouteResponse.decode(golden ?? new Uint8Array()))
    }
  })

  test('so are assignments', async () => {
    for (const number of [28, 60, 61, 62]) {
      const [answer] = await answered(goldenCall(number), [])
      const [golden] = goldenBytes(goldenCall(number), 'response')
      expect(rocketmq.QueryAssignmentResponse.decode(answer ?? new Uint8Array())).toEqual(
        rocketmq.QueryAssignmentResponse.decode(golden ?? new Uint8Array()),
      )
    }
  })
})

describe('settings', () => {
  test.each([2, 20, 25, 26, 64])('%i are answered as by the genuine proxy', (number) => {
    const call = goldenCall(number)
    const received = settingsIn(goldenBytes(call, 'request')[0])
    const theirs = settingsIn(goldenBytes(call, 'response')[0])
    const isFifo = theirs.pubSub?.$case === 'subscription' && theirs.pubSub.value.fifo === true
    const group = { orderly: isFifo, retryMaxTimes: 16 }
    // The recorded client is Node, for which the genuine proxy has the wrong back-off; anybody else is told the same.
    const ours = settingsAnswer(received, { language: 'JAVA', clientVersion: '5.0.8' }, () => group)
    expect(ours).toEqual(theirs)
  })

  test('111: neither publishing nor subscribing is refused', () => {
    const received = settingsIn(goldenBytes(goldenCall(111), 'request')[0])
    expect(
      settingsAnswer(received, { language: 'JAVA', clientVersion: '5.0.8' }, () => undefined),
    ).toBeUndefined()
  })
})

test('messages are delivered from the genuine store as the genuine proxy delivered them', () => {
  const delivered = goldenCalls
    .filter(({ method }) => method === 'ReceiveMessage')
    .flatMap((call) => goldenBytes(call, 'response'))
    .map((bytes) => rocketmq.ReceiveMessageResponse.decode(bytes).content)
    .flatMap((content) => (content?.$case === 'message' ? [content.value] : []))
  expect(delivered.length).toBeGreaterThanOrEqual(20)
  for (const theirs of delivered) {
    const receiptHandle = theirs.systemProperties?.receiptHandle ?? ''
    const [, , , , topicKind, , , , offset] = receiptHandle.split(' ')
    const record = decodeRecord(goldenLogFrom(Number(offset)), 0)
    const ours = deliveredMessage({
      record,
      properties: decodeProperties(record.properties),
      // A retry topic (kind 1) shows as the topic that it retries.
      topic: topicKind === '1' ? (theirs.topic?.name ?? '') : record.topic,
      receiptHandle,
      attempt: record.reconsumeTimes + 1,
    })
    expect(ours).toEqual(theirs)
  }
})

test('everything recorded decodes and encodes again to as many bytes', () => {
  const codecs = new Map<string, { decode(bytes: Uint8Array): number }>()
  const known = (name: string, decode: (bytes: Uint8Array) => number): void => {
    codecs.set(`apache.rocketmq.v2.${name}`, { decode })
  }
  known(
    'QueryRouteRequest',
    (bytes) => rocketmq.QueryRouteRequest.encode(rocketmq.QueryRouteRequest.decode(bytes)).finish().length,
  )
  known(
    'QueryRouteResponse',
    (bytes) => rocketmq.QueryRouteResponse.encode(rocketmq.QueryRouteResponse.decode(bytes)).finish().length,
  )
  known(
    'SendMessageRequest',
    (bytes) => rocketmq.SendMessageRequest.encode(rocketmq.SendMessageRequest.decode(bytes)).finish().length,
  )
  known(
    'SendMessageResponse',
    (bytes) =>
      rocketmq.SendMessageResponse.encode(rocketmq.SendMessageResponse.decode(bytes)).finish().length,
  )
  known(
    'ReceiveMessageRequest',
    (bytes) =>
      rocketmq.ReceiveMessageRequest.encode(rocketmq.ReceiveMessageRequest.decode(bytes)).finish().length,
  )
  known(
    'ReceiveMessageResponse',
    (bytes) =>
      rocketmq.ReceiveMessageResponse.encode(rocketmq.ReceiveMessageResponse.decode(bytes)).finish().length,
  )
  known(
    'AckMessageRequest',
    (bytes) => rocketmq.AckMessageRequest.encode(rocketmq.AckMessageRequest.decode(bytes)).finish().length,
  )
  known(
    'AckMessageResponse',
    (bytes) => rocketmq.AckMessageResponse.encode(rocketmq.AckMessageResponse.decode(bytes)).finish().length,
  )
  known(
    'TelemetryCommand',
    (bytes) => rocketmq.TelemetryCommand.encode(rocketmq.TelemetryCommand.decode(bytes)).finish().length,
  )
  let checked = 0
  for (const call of goldenCalls) {
    for (const direction of ['request', 'response'] as const) {
      const messages = call.messages.filter((message) => message.direction === direction)
      for (const [index, bytes] of goldenBytes(call, direction).entries()) {
        const codec = codecs.get(messages[index]?.type ?? '')
        if (!codec) continue
        expect(codec.decode(bytes)).toBe(bytes.length)
        checked += 1
      }
    }
  }
  expect(checked).toBeGreaterThan(150)
})

/** Our answer to a recorded request, by a broker with the recorded topics and, where the genuine one had messages, some. */
async function answered(call: GoldenCall, theirs: readonly rocketmq.Status[]): Promise<Uint8Array[]> {
  const clock = new SimulatedClock()
  const types = new Map(
    [...TOPICS].flatMap(([name, type]) => (type === 'MIXED' ? [] : [[name, type] as const])),
  )
  const api = new MemoryMessaging({ clock, topics: [...TOPICS.keys()], types })
  const broker = new BrokerCalls({ api, clock })
  const catalog: RouteCatalog = {
    topic: (name) => placementsOf(name),
    group: (name) => ({ orderly: name === 'GoldenFifoGroup', retryMaxTimes: 16 }),
    createTopic: async () => [],
  }
  const edge = new ClientEdge({
    target: broker,
    presence: broker.presence,
    catalog,
    clock,
    logger: silentLogger,
  })
  const context: CallContext = {
    clientId: call.metadata['x-mq-client-id'] ?? '',
    peer: { ip: '127.0.0.1', port: 40_000 },
    language: call.metadata['x-mq-language'] ?? '',
    clientVersion: call.metadata['x-mq-client-version'] ?? '',
    ...(call.deadlineMs === null ? {} : { deadline: call.deadlineMs }),
    signal: new AbortController().signal,
  }
  const wasOk = theirs[0]?.code === Code.OK || theirs[0]?.code === Code.MULTIPLE_RESULTS
  if (wasOk && call.method === 'ReceiveMessage') await fill(api, call, context)
  const request = wasOk ? withOurHandles(call, api) : (goldenBytes(call, 'request')[0] ?? new Uint8Array())
  const replies: Uint8Array[] = []
  await clock.outcome(
    edge.call(call.method, shiftedInTime(call, request, clock.now()), context, (reply) =>
      replies.push(reply),
    ),
  )
  return replies
}

async function fill(api: MemoryMessaging, call: GoldenCall, context: CallContext): Promise<void> {
  const request = rocketmq.ReceiveMessageRequest.decode(goldenBytes(call, 'request')[0] ?? new Uint8Array())
  const topic = request.messageQueue?.topic?.name ?? ''
  const isFifo = TOPICS.get(topic) === 'FIFO'
  await api.send(
    {
      topic,
      messageId: 'M',
      type: isFifo ? 'FIFO' : 'NORMAL',
      body: Buffer.from('x'),
      tag: 'Size',
      keys: [],
      userProperties: new Map(),
      bornTimestamp: 0,
      bornHost: { ip: '127.0.0.1', port: 1 },
      compressed: false,
    },
    context,
  )
}

/** Handles of Apache name a place in a queue: the same place in ours. */
function withOurHandles(call: GoldenCall, api: MemoryMessaging): Uint8Array {
  const [bytes = Buffer.alloc(0)] = goldenBytes(call, 'request')
  const ours = (handle: string, group = '', topic = ''): string => {
    const fields = handle.split(' ')
    return fields.length < 8 ? handle : api.handleFor(group, topic, Number(fields[7]))
  }
  switch (call.method) {
    case 'AckMessage': {
      const request = rocketmq.AckMessageRequest.decode(bytes)
      const entries = request.entries.map((entry) => ({
        ...entry,
        receiptHandle: ours(entry.receiptHandle, request.group?.name, request.topic?.name),
      }))
      return rocketmq.AckMessageRequest.encode({ ...request, entries }).finish()
    }
    case 'ChangeInvisibleDuration': {
      const request = rocketmq.ChangeInvisibleDurationRequest.decode(bytes)
      const receiptHandle = ours(request.receiptHandle, request.group?.name, request.topic?.name)
      return rocketmq.ChangeInvisibleDurationRequest.encode({ ...request, receiptHandle }).finish()
    }
    case 'ForwardMessageToDeadLetterQueue': {
      const request = rocketmq.ForwardMessageToDeadLetterQueueRequest.decode(bytes)
      const receiptHandle = ours(request.receiptHandle, request.group?.name, request.topic?.name)
      return rocketmq.ForwardMessageToDeadLetterQueueRequest.encode({ ...request, receiptHandle }).finish()
    }
    default:
      return bytes
  }
}

/** Delivery times count from when the message was born; the recording is of another day. */
function shiftedInTime(call: GoldenCall, bytes: Uint8Array, now: number): Uint8Array {
  if (call.method !== 'SendMessage') return bytes
  const request = rocketmq.SendMessageRequest.decode(bytes)
  for (const { systemProperties } of request.messages) {
    if (!systemProperties?.deliveryTimestamp || !systemProperties.bornTimestamp) continue
    const ahead = systemProperties.deliveryTimestamp.getTime() - systemProperties.bornTimestamp.getTime()
    systemProperties.deliveryTimestamp = new Date(now + ahead)
  }
  return rocketmq.SendMessageRequest.encode(request).finish()
}

function placementsOf(name: string) {
  const type = TOPICS.get(name)
  return type === undefined ? [] : [{ set: 'broker-a', readQueues: 2, writeQueues: 2, perm: 6, type }]
}

/** All statuses of an answer: the top one, then those of its entries. */
function statusesOf(method: string, messages: readonly Uint8Array[]): rocketmq.Status[] {
  const [first = new Uint8Array()] = messages
  switch (method) {
    case 'SendMessage': {
      const { status, entries } = rocketmq.SendMessageResponse.decode(first)
      return present([status, ...entries.map((entry) => entry.status)])
    }
    case 'AckMessage': {
      const { status, entries } = rocketmq.AckMessageResponse.decode(first)
      return present([status, ...entries.map((entry) => entry.status)])
    }
    case 'ReceiveMessage': {
      const frames = messages.map((message) => rocketmq.ReceiveMessageResponse.decode(message).content)
      expect(frames.at(-1)?.$case).toBe('deliveryTimestamp')
      return frames.flatMap((frame) => (frame?.$case === 'status' ? [frame.value] : []))
    }
    default:
      return present([rocketmq.HeartbeatResponse.decode(first).status])
  }
}

function present(statuses: readonly (rocketmq.Status | undefined)[]): rocketmq.Status[] {
  return statuses.flatMap((status) => (status ? [status] : []))
}

/** The dead letter answer of the genuine proxy says `0` for OK. */
function wordsOf(status: rocketmq.Status | undefined): string | undefined {
  return status?.message === '0' ? 'OK' : status?.message
}

function settingsIn(bytes: Uint8Array | undefined): rocketmq.Settings {
  const { command } = rocketmq.TelemetryCommand.decode(bytes ?? new Uint8Array())
  if (command?.$case !== 'settings') throw new Error('settings were expected')
  return command.value
}

function nameOfTopic(call: GoldenCall): string {
  const { messages } = rocketmq.SendMessageRequest.decode(goldenBytes(call, 'request')[0] ?? new Uint8Array())
  return messages[0]?.topic?.name ?? ''
}
