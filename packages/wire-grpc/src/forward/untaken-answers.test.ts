import { Client, credentials } from '@grpc/grpc-js'
import { silentLogger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { forward as wire, rocketmq } from '@tandemmq/rpc'
import { afterEach, expect, test } from 'vitest'
import type { CallTarget } from '../client-api/call-target.ts'
import { giveBack } from '../edge/give-back.ts'
import { guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { ForwardChannel } from './forward-channel.ts'
import { addForwardService } from './forward-service.ts'
import { UntakenAnswers } from './untaken-answers.ts'

const ports = { clock: realClock, logger: silentLogger }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const context: CallContext = {
  clientId: 'client-1',
  peer: { ip: '10.1.2.3', port: 5000 },
  language: 'NODE_JS',
  clientVersion: '1.0.8',
  signal: new AbortController().signal,
}

const request = rocketmq.ReceiveMessageRequest.encode(
  rocketmq.ReceiveMessageRequest.fromPartial({
    group: { name: 'g' },
    messageQueue: { topic: { name: 't' } },
    autoRenew: true,
  }),
).finish()

/** The frame of one delivered message. */
function delivery(receiptHandle: string): Uint8Array {
  const value = rocketmq.Message.fromPartial({ topic: { name: 't' }, systemProperties: { receiptHandle } })
  return rocketmq.ReceiveMessageResponse.encode({ content: { $case: 'message', value } }).finish()
}

/** Answers each receive with one message, whose handle is the number of the receive. */
class Broker implements CallTarget {
  readonly givenBack: string[] = []
  receives = 0
  waiting = 0
  ended = 0

  async call(
    method: string,
    bytes: Uint8Array,
    { signal }: CallContext,
    reply: (message: Uint8Array) => void,
  ) {
    if (method === 'ReceiveMessage') reply(delivery(`handle-${++this.receives}`))
    if (method === 'ChangeInvisibleDuration') {
      this.givenBack.push(rocketmq.ChangeInvisibleDurationRequest.decode(bytes).receiptHandle)
    }
    if (method === 'Wait') {
      this.waiting += 1
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      this.ended += 1
    }
  }
}

async function brokerServed() {
  const broker = new Broker()
  const served = await serve((server) => addForwardService(server, broker, guardOf(), ports))
  cleanups.push(() => served.server.close())
  return { broker, address: served.address }
}

/** A gateway that says only what the test lets it say. */
function rawStream(address: string) {
  const client = new Client(address, credentials.createInsecure())
  cleanups.push(() => client.close())
  const { path, requestSerialize, responseDeserialize } = wire.ForwardService.calls
  const { metadata } = secretOf('gateway').sign('forward')
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
  const answered: number[] = []
  stream.on('error', () => {})
  stream.on('data', ({ frames }: wire.ReplyFrames) => answered.push(...frames.map(({ id }) => id)))
  const say = (frame: Partial<wire.CallFrame>): void => {
    stream.write({ frames: [wire.CallFrame.fromPartial(frame)] })
  }
  return { stream, say, answered }
}

test('the stream breaks before the gateway has said that it has an answer: the messages are given back', async () => {
  const { broker, address } = await brokerServed()
  const { stream, say, answered } = rawStream(address)
  say({ id: 1, method: 'ReceiveMessage', payload: request })
  say({ id: 2, method: 'ReceiveMessage', payload: request })
  await until(() => answered.includes(1) && answered.includes(2))
  say({ id: 1, taken: true })
  say({ id: 3, method: 'Wait' })
  await until(() => broker.waiting === 1)
  expect(broker.givenBack).toEqual([])
  stream.cancel()
  await until(() => broker.givenBack.length > 0)
  expect(broker.givenBack).toEqual(['handle-2'])
})

test('a call that is cancelled when its answer is under way: the messages are given back at once', async () => {
  const { broker, address } = await brokerServed()
  const { stream, say, answered } = rawStream(address)
  say({ id: 1, method: 'ReceiveMessage', payload: request })
  await until(() => answered.includes(1))
  say({ id: 1, cancel: true })
  await until(() => broker.givenBack.length > 0)
  expect(broker.givenBack).toEqual(['handle-1'])
  stream.cancel()
})

test('what the gateway has is not given back when its stream ends', async () => {
  const { broker, address } = await brokerServed()
  const channel = new ForwardChannel(address, {}, { ...ports, secret: secretOf('gateway') }, () => {})
  cleanups.push(() => channel.close())
  await until(() => channel.isOpen)
  const frames: Uint8Array[] = []
  await channel.call('ReceiveMessage', request, context, (frame) => frames.push(frame))
  expect(frames).toHaveLength(1)
  const waiting = channel.call('Wait', Buffer.alloc(0), context, () => {}).catch(() => {})
  await until(() => broker.waiting === 1)
  channel.close()
  await waiting
  await until(() => broker.ended === 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(broker.givenBack).toEqual([])
})

test('no more is remembered than allowed: the oldest go first', async () => {
  const broker = new Broker()
  const untaken = new UntakenAnswers({ target: broker, ...ports }, 100)
  for (let id = 1; id <= 3; id += 1) {
    untaken.remember(id, { request, context, frames: [delivery(`handle-${id}`)], bytes: 50 })
  }
  expect(untaken.size).toBe(2)
  untaken.over()
  expect(untaken.size).toBe(0)
  await until(() => broker.givenBack.length === 2)
  expect(broker.givenBack).toEqual(['handle-2', 'handle-3'])
})

test('the refusal of a request that nobody can read has nothing to give back, and that is no error', async () => {
  const broker = new Broker()
  const refusal = rocketmq.ReceiveMessageResponse.encode({
    content: { $case: 'status', value: { code: rocketmq.Code.BAD_REQUEST, message: 'no' } },
  }).finish()
  await giveBack(Buffer.from('ffffffff', 'hex'), [refusal], context, { target: broker, ...ports })
  expect(broker.givenBack).toEqual([])
})
