import { Client, credentials } from '@grpc/grpc-js'
import { silentLogger } from '@tandemmq/base'
import { forward as wire, rocketmq } from '@tandemmq/rpc'
import { afterEach, expect, test } from 'vitest'
import type { CallTarget } from '../client-api/call-target.ts'
import { guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { addForwardService, type ForwardServiceOptions } from './forward-service.ts'

const MB = 1024 * 1024
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** The frame of one large message; the last byte says which. */
function delivery(part: number): Uint8Array {
  const value = rocketmq.Message.fromPartial({ body: Buffer.alloc(MB, part) })
  return rocketmq.ReceiveMessageResponse.encode({ content: { $case: 'message', value } }).finish()
}

/** Answers a receive with three large messages and counts the receives that were begun. */
class Broker implements CallTarget {
  readonly begun: string[] = []

  async call(method: string, request: Uint8Array, _context: unknown, reply: (message: Uint8Array) => void) {
    this.begun.push(method)
    if (method !== 'ReceiveMessage') return reply(request)
    for (let part = 0; part < 3; part += 1) reply(delivery(part))
    await Promise.resolve()
  }
}

/** A gateway that takes answers only when the test lets it, and the ids in the order in which their frames came. */
async function slowGateway(options: Partial<ForwardServiceOptions> = {}) {
  const broker = new Broker()
  const ports = { clock: realClock, logger: silentLogger }
  const { server, address } = await serve((it) => addForwardService(it, broker, guardOf(), ports, options))
  cleanups.push(() => server.close())
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * MB,
  })
  cleanups.push(() => client.close())
  const { path, requestSerialize, responseDeserialize } = wire.ForwardService.calls
  const { metadata } = secretOf('gateway').sign('forward')
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
  cleanups.push(() => stream.cancel())
  stream.on('error', () => {})
  const say = (frames: readonly Partial<wire.CallFrame>[]): void => {
    stream.write({ frames: frames.map((frame) => wire.CallFrame.fromPartial(frame)) })
  }
  const seen: wire.ReplyFrame[] = []
  const read = (): void => {
    stream.on('data', ({ frames }: wire.ReplyFrames) => seen.push(...frames))
  }
  return { broker, say, read, seen }
}

function receives(count: number): Partial<wire.CallFrame>[] {
  return Array.from({ length: count }, (_, n) => ({ id: n + 1, method: 'ReceiveMessage' }))
}

const ACK = 1000

test('a small answer overtakes the large ones that wait, and each call keeps the order of its frames', async () => {
  const { broker, say, read, seen } = await slowGateway({ queuedBytesMax: 32 * MB })
  say(receives(10))
  await until(() => broker.begun.length === 10)
  say([{ id: ACK, method: 'AckMessage', payload: Buffer.from('ack') }])
  await until(() => broker.begun.includes('AckMessage'))
  read()
  await until(() => seen.filter(({ end }) => end).length === 11)
  // What has left cannot be overtaken: a window and what gRPC has begun to send.
  expect(seen.findIndex(({ id }) => id === ACK)).toBeLessThan(6)
  for (let id = 1; id <= 10; id += 1) {
    const frames = seen.filter((frame) => frame.id === id)
    expect(frames.map(({ payload }) => payload?.at(-1))).toEqual([0, 1, 2])
    expect(frames.map(({ end }) => end)).toEqual([false, false, true])
  }
})

test('while too many answers wait, receives are not begun, and acknowledgements are', async () => {
  const { broker, say, read, seen } = await slowGateway({ queuedBytesMax: 8 * MB })
  say(receives(20))
  await until(() => broker.begun.length >= 3)
  say([{ id: ACK, method: 'AckMessage', payload: Buffer.from('ack') }])
  await until(() => broker.begun.includes('AckMessage'))
  expect(broker.begun.length).toBeLessThan(10)
  read()
  await until(() => seen.filter(({ end }) => end).length === 21)
  expect(seen.findIndex(({ id }) => id === ACK)).toBeLessThan(6)
})

test('what was cancelled makes room: it is neither begun nor sent', async () => {
  const { broker, say, read, seen } = await slowGateway({ queuedBytesMax: 8 * MB })
  say(receives(20))
  await until(() => broker.begun.length >= 3)
  say(Array.from({ length: 20 }, (_, n) => ({ id: n + 1, cancel: true })))
  say([{ id: ACK, method: 'ReceiveMessage' }])
  await until(() => broker.begun.length >= 4)
  read()
  await until(() => seen.some(({ id, end }) => id === ACK && end))
  expect(broker.begun.filter((method) => method === 'ReceiveMessage').length).toBeLessThan(10)
  expect(seen.filter(({ payload }) => payload).length).toBeLessThan(9)
})

test('more requests that wait than may be held are refused', async () => {
  const { say, read, seen } = await slowGateway({ queuedBytesMax: MB, waitingBytesMax: 1000 })
  say(receives(60).map((frame) => ({ ...frame, payload: Buffer.alloc(100) })))
  read()
  await until(() => seen.filter(({ end }) => end).length === 60)
  expect(seen.filter(({ failure }) => failure?.code === 'SYSTEM_BUSY').length).toBeGreaterThan(40)
})
