import { BrokerError, type ErrorCode } from '@tandemmq/base'
import type { CallContext, SendStatus } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { receiveRequest, sendRequest } from '../gateway/cluster.test-support.ts'
import { MemoryMessaging } from '../memory-messaging.test-support.ts'
import { BrokerCalls } from './broker-calls.ts'

const { Code } = rocketmq

function broker() {
  const clock = new SimulatedClock()
  const api = new MemoryMessaging({ clock, topics: ['Orders'] })
  const calls = new BrokerCalls({ api, clock })
  const call = async (method: string, request: Uint8Array, context: Partial<CallContext> = {}) => {
    const replies: Uint8Array[] = []
    const whole = { ...contextOf(), deadline: clock.monotonic() + 3_000, ...context }
    await calls.call(method, request, whole, (reply) => replies.push(reply))
    return replies
  }
  return { clock, api, calls, call }
}

function contextOf(): CallContext {
  return {
    clientId: 'client@1',
    peer: { ip: '10.9.8.7', port: 5000 },
    language: 'JAVA',
    clientVersion: '5.0.8',
    signal: new AbortController().signal,
  }
}

function received(replies: readonly Uint8Array[]) {
  const frames = replies.map((reply) => rocketmq.ReceiveMessageResponse.decode(reply).content)
  const status = frames.flatMap((frame) => (frame?.$case === 'status' ? [frame.value] : []))
  const messages = frames.flatMap((frame) => (frame?.$case === 'message' ? [frame.value] : []))
  return { kinds: frames.map((frame) => frame?.$case), code: status[0]?.code, messages }
}

function change(receiptHandle: string, ms: number): Uint8Array {
  return rocketmq.ChangeInvisibleDurationRequest.encode({
    group: { resourceNamespace: '', name: 'group' },
    topic: { resourceNamespace: '', name: 'Orders' },
    receiptHandle,
    invisibleDuration: { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 },
    messageId: 'm',
  }).finish()
}

describe('SendMessage', () => {
  test.each<[SendStatus, number, string]>([
    ['FLUSH_DISK_TIMEOUT', Code.MASTER_PERSISTENCE_TIMEOUT, 'sendStatus=FLUSH_DISK_TIMEOUT'],
    ['FLUSH_SLAVE_TIMEOUT', Code.SLAVE_PERSISTENCE_TIMEOUT, 'sendStatus=FLUSH_SLAVE_TIMEOUT'],
  ])('%s is a message that is stored, but: code %i', async (status, code, words) => {
    const { api, call } = broker()
    api.onSend = async ({ messageId }) => ({ status, messageId, queueId: 0, queueOffset: 3, offset: 900 })
    const [reply] = await call('SendMessage', sendRequest('Orders', Buffer.from('x')))
    const response = rocketmq.SendMessageResponse.decode(reply ?? new Uint8Array())
    expect(response.status?.code).toBe(code)
    expect(response.entries).toHaveLength(1)
    expect(response.entries[0]?.status?.message).toContain(words)
  })

  test.each<[ErrorCode, number]>([
    ['IN_SYNC_REPLICAS_NOT_ENOUGH', Code.HA_NOT_AVAILABLE],
    ['NOT_WRITABLE', Code.INTERNAL_SERVER_ERROR],
    ['DISK_FULL', Code.INTERNAL_SERVER_ERROR],
    ['LOG_FENCED', Code.INTERNAL_SERVER_ERROR],
    ['SYSTEM_BUSY', Code.TOO_MANY_REQUESTS],
  ])('%s is refused with code %i and clear words', async (error, code) => {
    const { api, call } = broker()
    api.onSend = () => Promise.reject(new BrokerError(error, 'because of this'))
    const [reply] = await call('SendMessage', sendRequest('Orders', Buffer.from('x')))
    const response = rocketmq.SendMessageResponse.decode(reply ?? new Uint8Array())
    expect(response).toEqual({ status: { code, message: `${error}: because of this` }, entries: [] })
  })

  test('of several messages each has its entry, in order, and one refusal does not hide the others', async () => {
    const { api, call } = broker()
    api.onSend = async ({ messageId }) => {
      if (messageId === 'b') throw new BrokerError('DISK_FULL', 'no room')
      return { status: 'OK', messageId, queueId: 0, queueOffset: 1, offset: 1 }
    }
    const request = rocketmq.SendMessageRequest.encode({
      messages: ['a', 'b', 'c'].map((messageId) => ({
        topic: { resourceNamespace: '', name: 'Orders' },
        userProperties: new Map(),
        systemProperties: rocketmq.SystemProperties.create({ messageId }),
        body: Buffer.from('x'),
      })),
    }).finish()
    const [reply] = await call('SendMessage', request)
    const response = rocketmq.SendMessageResponse.decode(reply ?? new Uint8Array())
    expect(response.status?.code).toBe(Code.MULTIPLE_RESULTS)
    expect(response.entries.map(({ messageId }) => messageId)).toEqual(['a', '', 'c'])
    expect(response.entries[0]?.transactionId).toBe('a')
  })

  test('a fault of the program is no answer', async () => {
    const { api, call } = broker()
    api.onSend = () => Promise.reject(new TypeError('undefined is not a function'))
    await expect(call('SendMessage', sendRequest('Orders', Buffer.from('x')))).rejects.toThrow(TypeError)
  })

  test('a client that names no host is known by its address', async () => {
    const { api, call } = broker()
    await call('SendMessage', sendRequest('Orders', Buffer.from('x')))
    expect(api.sent[0]?.bornHost).toEqual({ ip: '10.9.8.7', port: 5000 })
  })
})

describe('ReceiveMessage', () => {
  test('ends before the deadline of its client with what there is', async () => {
    const { clock, call } = broker()
    const replies = await clock.outcome(call('ReceiveMessage', receiveRequest('Orders', 'broker-a')))
    expect(received(replies)).toMatchObject({
      kinds: ['status', 'deliveryTimestamp'],
      code: Code.MESSAGE_NOT_FOUND,
    })
    expect(clock.monotonic()).toBe(2_700)
  })

  test('a refusal is given late, so that no client polls in a hot loop; but before the deadline', async () => {
    const { clock, call } = broker()
    const refused = await clock.outcome(call('ReceiveMessage', receiveRequest('Nowhere', 'broker-a')))
    expect(received(refused).code).toBe(Code.TOPIC_NOT_FOUND)
    expect(clock.monotonic()).toBe(1_000)
    const deadline = clock.monotonic() + 500
    await clock.outcome(call('ReceiveMessage', receiveRequest('Nowhere', 'broker-a'), { deadline }))
    expect(clock.monotonic()).toBe(1_200)
  })

  test('what was fetched for a client that has left is given back soon', async () => {
    const { clock, api, call } = broker()
    await call('SendMessage', sendRequest('Orders', Buffer.from('x')))
    const client = new AbortController()
    const receiving = call('ReceiveMessage', receiveRequest('Orders', 'broker-a'), { signal: client.signal })
    client.abort()
    expect(await clock.outcome(receiving)).toEqual([])
    expect(api.nacked).toEqual([{ messageId: api.sent[0]?.messageId, invisibleMs: 1_000 }])
  })

  test('a stamped call that this broker must not answer is refused without a word to the client', async () => {
    const { api, call } = broker()
    api.servingEpoch = 7
    await expect(
      call('ReceiveMessage', receiveRequest('Orders', 'broker-a'), { servingEpoch: 6 }),
    ).rejects.toMatchObject({ code: 'NOT_SERVING', facts: { servingEpoch: 7 } })
  })
})

describe('ChangeInvisibleDuration', () => {
  test('of a push consumer in Node up to 1.0.8 has a floor; of others it is as asked', async () => {
    const { clock, api, call } = broker()
    const node = { language: 'HTTP', clientVersion: '1.0.8' }
    const handle = api.handleFor('group', 'Orders', 0)
    await call('ChangeInvisibleDuration', change(handle, 5), node)
    await clock.outcome(call('ReceiveMessage', receiveRequest('Orders', 'broker-a'), node)) // Under auto-renew.
    await call('ChangeInvisibleDuration', change(handle, 5), node)
    await call('ChangeInvisibleDuration', change(handle, 5), { ...node, clientVersion: '1.0.9' })
    await call('ChangeInvisibleDuration', change(handle, 5_000), node)
    expect(api.nacked.map(({ invisibleMs }) => invisibleMs)).toEqual([5, 1_000, 5, 5_000])
  })

  test('never answers with an empty handle, not even where it refuses', async () => {
    const { api, call } = broker()
    const handle = api.handleFor('group', 'Orders', 0)
    for (const [request, code] of [
      [change(handle, 10_000), Code.OK],
      [change(handle, 43_200_001), Code.ILLEGAL_INVISIBLE_TIME],
      [change('rubbish', 10_000), Code.INVALID_RECEIPT_HANDLE],
    ] as const) {
      const [reply] = await call('ChangeInvisibleDuration', request)
      const response = rocketmq.ChangeInvisibleDurationResponse.decode(reply ?? new Uint8Array())
      expect(response.status?.code).toBe(code)
      expect(response.receiptHandle).not.toBe('')
    }
  })
})

test('consumers under auto-renew are gone when nothing is heard of them for two minutes, or when they say so', async () => {
  const { clock, api, calls, call } = broker()
  await clock.outcome(call('ReceiveMessage', receiveRequest('Orders', 'broker-a')))
  await clock.advance(100_000)
  calls.presence.seen('client@1', 'group')
  await clock.advance(119_000)
  expect(api.goneClients).toEqual([])
  await clock.advance(1_000)
  expect(api.goneClients).toEqual(['group/client@1'])
  calls.presence.seen('client@2', 'group')
  calls.presence.gone('client@2', 'group')
  expect(api.goneClients).toEqual(['group/client@1', 'group/client@2'])
})

test.each([
  'SendMessage',
  'ReceiveMessage',
  'AckMessage',
  'ChangeInvisibleDuration',
  'ForwardMessageToDeadLetterQueue',
])('%s answers rubbish with BAD_REQUEST', async (method) => {
  const { clock, call } = broker()
  for (const rubbish of ['ff', '0aff', '12ffffffff0f', 'deadbeef']) {
    const [reply] = await clock.outcome(call(method, Buffer.from(rubbish, 'hex')))
    const status =
      method === 'ReceiveMessage'
        ? received(reply ? [reply] : []).code
        : rocketmq.HeartbeatResponse.decode(reply ?? new Uint8Array()).status?.code
    expect(status).toBe(Code.BAD_REQUEST)
  }
})
