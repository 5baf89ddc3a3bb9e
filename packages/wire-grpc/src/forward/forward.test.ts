import { connect, createServer } from 'node:net'
import { Client, credentials, status as grpcStatus } from '@grpc/grpc-js'
import { BrokerError, silentLogger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { forward as wire, rocketmq } from '@tandemmq/rpc'
import { RecordingLogger } from '@tandemmq/testkit'
import { afterEach, expect, test } from 'vitest'
import type { CallTarget } from '../client-api/call-target.ts'
import { guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { GrpcServer } from '../server.ts'
import type { SetSecretGuard } from '../set-secret.ts'
import { ForwardChannel, type ForwardOptions } from './forward-channel.ts'
import { ForwardChannels } from './forward-channels.ts'
import { MESSAGE_BODY_BYTES_MAX, PAYLOAD_BYTES_MAX } from './forward-method.ts'
import { addForwardService, type ForwardServiceOptions } from './forward-service.ts'

const ports = { clock: realClock, logger: silentLogger }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

type Answer = CallTarget['call']

async function broker(
  call: Answer,
  options: Partial<ForwardServiceOptions> = {},
  guard: SetSecretGuard = guardOf(),
) {
  const served = await serve((server) => addForwardService(server, { call }, guard, ports, options))
  cleanups.push(() => served.server.close())
  return served
}

async function channelTo(address: string, options: Partial<ForwardOptions> = {}): Promise<ForwardChannel> {
  const channel = new ForwardChannel(address, options, { ...ports, secret: secretOf('gateway') }, () => {})
  cleanups.push(() => channel.close())
  await until(() => channel.isOpen)
  return channel
}

function contextOf(fields: Partial<CallContext> = {}): CallContext {
  return {
    clientId: 'client-1',
    peer: { ip: '10.1.2.3', port: 5000 },
    language: 'NODE_JS',
    clientVersion: '1.0.8',
    signal: new AbortController().signal,
    ...fields,
  }
}

async function ask(
  channel: ForwardChannel,
  request: Buffer,
  fields: Partial<CallContext> = {},
  method = 'Echo',
) {
  const answers: Buffer[] = []
  await channel.call(method, request, contextOf(fields), (message) => answers.push(Buffer.from(message)))
  return answers
}

/** Answers each call with its own request, in three messages. */
const echo: Answer = async (_method, request, _context, reply) => {
  for (let part = 0; part < 3; part++) reply(Buffer.concat([request, Buffer.from(`/${part}`)]))
  await Promise.resolve()
}

const forever: Answer = () => new Promise(() => {})

test('thousands of calls at once, each gets its own answers in order', async () => {
  const channel = await channelTo((await broker(echo)).address)
  const calls = Array.from({ length: 3000 }, async (_, n) => {
    const answers = await ask(channel, Buffer.from(`call ${n}`))
    expect(answers.map(String)).toEqual([`call ${n}/0`, `call ${n}/1`, `call ${n}/2`])
  })
  await Promise.all(calls)
  expect(channel.inFlight).toBe(0)
})

test('the calls of one turn travel in few messages', async () => {
  const { address } = await broker(echo)
  const raw = new Client(address, credentials.createInsecure())
  cleanups.push(() => raw.close())
  let messages = 0
  let ends = 0
  const { metadata } = secretOf('gateway').sign('forward')
  const stream = raw.makeBidiStreamRequest(
    wire.ForwardService.calls.path,
    wire.ForwardService.calls.requestSerialize,
    wire.ForwardService.calls.responseDeserialize,
    metadata,
  )
  stream.on('data', ({ frames }: wire.ReplyFrames) => {
    messages++
    ends += frames.filter((frame) => frame.end).length
  })
  const frames = Array.from({ length: 500 }, (_, n) =>
    wire.CallFrame.fromPartial({ id: n + 1, method: 'Echo' }),
  )
  stream.write({ frames })
  await until(() => ends === 500)
  expect(messages).toBeLessThan(10)
  stream.cancel()
  stream.on('error', () => {})
})

test('who calls, how long they wait, and the stamp arrive; time left crosses, not a time', async () => {
  const seen: CallContext[] = []
  const { address } = await broker(async (_method, _request, context) => {
    seen.push(context)
    await Promise.resolve()
  })
  const channel = await channelTo(address)
  await ask(channel, Buffer.from('x'), { deadline: realClock.monotonic() + 3000, servingEpoch: 77 })
  await ask(channel, Buffer.from('x'))
  expect(seen[0]).toMatchObject({
    clientId: 'client-1',
    peer: { ip: '10.1.2.3', port: 5000 },
    language: 'NODE_JS',
    clientVersion: '1.0.8',
    servingEpoch: 77,
  })
  expect((seen[0]?.deadline ?? 0) - realClock.monotonic()).toBeGreaterThan(2000)
  expect(seen[1]).not.toHaveProperty('deadline')
  expect(seen[1]).not.toHaveProperty('servingEpoch')
})

test('a refused stamp names the epoch the broker knows; other failures keep their code', async () => {
  const failures: Record<string, unknown> = {
    Refuse: new BrokerError('NOT_SERVING', 'no', { facts: { servingEpoch: 9 } }),
    Busy: new BrokerError('SYSTEM_BUSY', 'not now'),
    Bug: new TypeError('secret details'),
  }
  const { address } = await broker((method) => Promise.reject(failures[method]))
  const channel = await channelTo(address)
  const failure = (method: string): Promise<unknown> =>
    ask(channel, Buffer.alloc(0), {}, method).catch((e: unknown) => e)
  expect(await failure('Refuse')).toMatchObject({ code: 'NOT_SERVING', facts: { servingEpoch: 9 } })
  expect(await failure('Busy')).toMatchObject({ code: 'SYSTEM_BUSY', message: 'not now' })
  expect(await failure('Bug')).toMatchObject({
    code: 'FATE_UNKNOWN',
    message: 'the call failed inside the broker',
  })
})

test('an abandoned call is cancelled at the broker and its late answer goes nowhere', async () => {
  let cancelled = false
  let answer: (() => void) | undefined
  const { address } = await broker(
    (_method, _request, { signal }, reply) =>
      new Promise((resolve) => {
        answer = () => {
          reply(Buffer.from('late'))
          resolve()
        }
        signal.addEventListener('abort', () => (cancelled = true), { once: true })
      }),
  )
  const channel = await channelTo(address)
  const leaving = new AbortController()
  const call = ask(channel, Buffer.from('x'), { signal: leaving.signal })
  await until(() => answer !== undefined)
  leaving.abort()
  await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'the caller is gone' })
  await until(() => cancelled)
  answer?.()
  expect(channel.inFlight).toBe(0)
})

test('a call abandoned in the turn it was made never leaves', async () => {
  const methods: string[] = []
  const { address } = await broker(async (method) => {
    methods.push(method)
    await Promise.resolve()
  })
  const channel = await channelTo(address)
  const leaving = new AbortController()
  const call = ask(channel, Buffer.from('x'), { signal: leaving.signal }, 'Never')
  leaving.abort()
  await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await ask(channel, Buffer.from('x'), {}, 'After')
  expect(methods).toEqual(['After'])
})

test('the stream breaks: what has left has an unknown fate, what has not is safe, and the channel comes back (rule 6.1)', async () => {
  const aborted: string[] = []
  const { server, address } = await broker((method, _request, { signal }) => {
    signal.addEventListener('abort', () => aborted.push(method), { once: true })
    return forever(method, _request, contextOf(), () => {})
  })
  const changes: boolean[] = []
  const channels = new ForwardChannels({}, { ...ports, secret: secretOf('gateway') })
  cleanups.push(() => channels.close())
  channels.onChange(() => changes.push(channels.to(address).isOpen))
  const channel = channels.to(address)
  await until(() => channel.isOpen)

  const left = channel.call('Left', Buffer.alloc(1), contextOf(), () => {}).catch((e: unknown) => e)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const closed = server.close()
  const kept = channel.call('Kept', Buffer.alloc(1), contextOf(), () => {}).catch((e: unknown) => e)
  expect(await left).toMatchObject({ code: 'FATE_UNKNOWN' })
  expect(await kept).toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|FATE_UNKNOWN/) })
  await closed
  expect(channel.isOpen).toBe(false)
  await expect(channel.call('Closed', Buffer.alloc(1), contextOf(), () => {})).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })

  const again = new GrpcServer({ clock: realClock, logger: silentLogger })
  addForwardService(again, { call: echo }, guardOf(), ports)
  await again.listen({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
  cleanups.push(() => again.close())
  await until(() => channel.isOpen)
  await channel.call('Again', Buffer.alloc(1), contextOf(), () => {})
  expect(changes).toEqual([true, false, true])
  expect(aborted).not.toContain('Kept')
})

/** A wire to a broker that can be stopped: bytes pile up on this side of it. */
async function stoppableWire(
  address: string,
): Promise<{ readonly address: string; stop(): void; cut(): void }> {
  const [host, port] = address.split(':')
  const pairs: (readonly [import('node:net').Socket, import('node:net').Socket])[] = []
  const listener = createServer((near) => {
    const far = connect(Number(port), host)
    near.pipe(far)
    far.pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    pairs.push([near, far])
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  cleanups.push(() => {
    listener.close()
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  })
  const bound = listener.address()
  return {
    address: `127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`,
    stop: () => {
      for (const [near] of pairs) near.unpipe().pause()
    },
    cut: () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
    },
  }
}

test('a broker that takes nothing: calls wait within bounds, and those that never left end as UNAVAILABLE', async () => {
  const between = await stoppableWire((await broker(forever)).address)
  const queuedBytesMax = 8 * 1024 * 1024
  const channel = await channelTo(between.address, { queuedBytesMax })
  between.stop()
  const fates = new Map<string, number>()
  const ended: Promise<unknown>[] = []
  for (let n = 0; n < 60; n++) {
    const call = channel.call('Big', Buffer.alloc(512 * 1024), contextOf(), () => {})
    ended.push(
      call.catch((error: unknown) => {
        const code = error instanceof BrokerError ? error.code : 'no operating error'
        fates.set(code, (fates.get(code) ?? 0) + 1)
      }),
    )
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(fates.get('SYSTEM_BUSY')).toBeGreaterThan(20)
  between.cut()
  await Promise.all(ended)
  expect(fates.get('UNAVAILABLE')).toBeGreaterThanOrEqual(10)
  expect(fates.get('FATE_UNKNOWN')).toBeGreaterThan(0)
  expect([...fates.keys()].toSorted()).toEqual(['FATE_UNKNOWN', 'SYSTEM_BUSY', 'UNAVAILABLE'])
})

test('payloads of 5 MiB pass both ways; one beyond the limit is refused alone', async () => {
  const channel = await channelTo(
    (await broker(async (_method, request, _context, reply) => reply(request))).address,
  )
  const body = Buffer.alloc(5 * 1024 * 1024, 'x')
  const [one, other] = await Promise.all([ask(channel, body), ask(channel, body)])
  expect(one[0]?.equals(body)).toBe(true)
  expect(other[0]?.equals(body)).toBe(true)
  await expect(ask(channel, Buffer.alloc(PAYLOAD_BYTES_MAX + 1))).rejects.toMatchObject({
    code: 'ILLEGAL_ARGUMENT',
  })
  expect(channel.isOpen).toBe(true)
})

test('a message with the largest body and properties that a broker may be configured for is delivered', async () => {
  const value = rocketmq.Message.fromPartial({
    body: Buffer.alloc(MESSAGE_BODY_BYTES_MAX),
    userProperties: new Map([['name', 'x'.repeat(32 * 1024)]]),
  })
  const delivery = Buffer.from(
    rocketmq.ReceiveMessageResponse.encode({ content: { $case: 'message', value } }).finish(),
  )
  const { address } = await broker(async (_method, _request, _context, reply) => reply(delivery))
  const answers = await ask(await channelTo(address), Buffer.alloc(0), {}, 'ReceiveMessage')
  expect(answers[0]?.equals(delivery)).toBe(true)
})

test('more calls than the broker takes at once are refused one by one', async () => {
  const channel = await channelTo((await broker(forever, { inFlightMax: 2 })).address)
  void ask(channel, Buffer.alloc(0)).catch(() => {})
  void ask(channel, Buffer.alloc(0)).catch(() => {})
  await expect(ask(channel, Buffer.alloc(0))).rejects.toMatchObject({ code: 'SYSTEM_BUSY' })
})

test('a gateway without the secret gets no channel, and says why once', async () => {
  const { address } = await broker(echo)
  const logger = new RecordingLogger()
  const secret = secretOf('gateway', Buffer.from('guess'))
  const channel = new ForwardChannel(address, {}, { ...ports, logger, secret }, () => {})
  cleanups.push(() => channel.close())
  await until(() => logger.lines.length > 0)
  expect(channel.isOpen).toBe(false)
  expect(JSON.stringify(logger.lines)).toContain('gateway does not know the secret of this set')
})

test('garbage, oversize and doubled calls end that stream and nothing else', async () => {
  const { address } = await broker(forever)
  const channel = await channelTo(address)
  const raw = new Client(address, credentials.createInsecure())
  cleanups.push(() => raw.close())
  const say = (...messages: readonly Buffer[]): Promise<unknown> =>
    new Promise((resolve) => {
      const { metadata } = secretOf('rough').sign('forward')
      const stream = raw.makeBidiStreamRequest(wire.ForwardService.calls.path, asIs, asIs, metadata)
      stream.on('error', resolve)
      stream.on('data', () => {})
      for (const message of messages) stream.write(message)
    })
  const call = Buffer.from(
    wire.CallFrames.encode({ frames: [wire.CallFrame.fromPartial({ id: 1 })] }).finish(),
  )
  expect(await say(Buffer.from('0affffffff0f', 'hex'))).toMatchObject({ code: grpcStatus.INTERNAL })
  expect(await say(Buffer.alloc(17 * 1024 * 1024))).toMatchObject({ code: grpcStatus.RESOURCE_EXHAUSTED })
  expect(await say(call, call)).toMatchObject({
    code: grpcStatus.INVALID_ARGUMENT,
    details: 'call 1 is under way already',
  })
  expect(channel.isOpen).toBe(true)
})

function asIs(bytes: Buffer): Buffer {
  return bytes
}
