import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { Client, credentials, type ChannelCredentials, type ServiceDefinition } from '@grpc/grpc-js'
import { NodeClock, NodeRandom, TlsCredentials, serviceTls, type GrpcTlsMode } from '@tandemmq/platform-node'
import { RecordingLogger, RecordingMeter, TestAuthority } from '@tandemmq/testkit'
import { GrpcServer, SetSecret, type GrpcServerOptions } from '@tandemmq/wire-grpc'
import { afterAll, afterEach, expect, test } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'tandemmq-grpc-tls-'))
const clock = new NodeClock()
const logger = new RecordingLogger()
const authority = new TestAuthority()
const asIs = (bytes: Buffer): Buffer => bytes
const echo: ServiceDefinition = {
  Echo: {
    path: '/test.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  logger.lines.length = 0
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Files of a service, read. */
function tlsOf(party: string, signer = authority, host = '127.0.0.1'): TlsCredentials {
  const { cert, key } = signer.issue({ hosts: [host] })
  const paths = ['cert', 'key', 'trust'].map((name) => join(directory, `${party}-${name}`))
  const [certPath = '', keyPath = '', trust = ''] = paths
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  writeFileSync(trust, authority.cert)
  return TlsCredentials.read({ cert: certPath, key: keyPath, trust }, { logger, clock })
}

function answerEcho(
  call: { request: Buffer; getPeer(): string },
  done: (error: null, answer: Buffer) => void,
): void {
  done(null, Buffer.from(`${call.request.toString()} from ${call.getPeer().split(':')[0]}`))
}

/** Reasons in words, as an operator was told them. */
function told(): readonly unknown[] {
  return logger.lines.map(({ facts }) => facts['words'])
}

async function serve(mode: GrpcTlsMode, own = tlsOf('server'), options: Partial<GrpcServerOptions> = {}) {
  const meter = new RecordingMeter()
  const server = new GrpcServer({ clock, logger, meter, tls: serviceTls(mode, own, 10_000).port }, options)
  server.add(echo, { Echo: answerEcho })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  cleanups.push(() => server.close())
  return { server, port, meter }
}

/** How another of our services with this mode calls. */
function callsOf(mode: GrpcTlsMode, own = tlsOf('caller')): ChannelCredentials {
  const { calls } = serviceTls(mode, own, 10_000)
  return new SetSecret(undefined, 'x', { clock, random: new NodeRandom(), tls: calls }).channelCredentials()
}

function ask(port: number, how: ChannelCredentials, host = '127.0.0.1'): Promise<string> {
  const client = new Client(`${host}:${port}`, how, { 'grpc.use_local_subchannel_pool': 1 })
  cleanups.push(() => client.close())
  return new Promise((resolve) => {
    const deadline = new Date(Date.now() + 8_000)
    client.makeUnaryRequest(
      '/test.Echo/Echo',
      asIs,
      asIs,
      Buffer.from('hello'),
      { deadline },
      (error, answer) => resolve(error === null ? String(answer) : error.message),
    )
  })
}

function plain(port: number, ...bytes: readonly number[]): Socket {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  cleanups.push(() => socket.destroy())
  socket.resume()
  socket.write(Buffer.from(bytes))
  return socket
}

const inPlain = credentials.createInsecure()
const client = credentials.createSsl(Buffer.from(authority.cert))
const answered = 'hello from 127.0.0.1'

test('one port takes both, or what it is told to; own calls go as they are told to', async () => {
  const off = await serve('off')
  expect(await ask(off.port, callsOf('off'))).toBe(answered)
  expect(await ask(off.port, callsOf('accepted'))).toBe(answered)
  expect(await ask(off.port, client)).toContain('UNAVAILABLE')
  expect(told()).toContain('this port speaks no TLS')

  for (const mode of ['accepted', 'used'] as const) {
    const { port } = await serve(mode)
    expect(await ask(port, client)).toBe(answered)
    expect(await ask(port, inPlain)).toBe(answered)
    expect(await ask(port, callsOf('used'))).toBe(answered)
  }

  const required = await serve('required')
  expect(await ask(required.port, callsOf('required'))).toBe(answered)
  expect(await ask(required.port, client)).toBe(answered)
  expect(await ask(required.port, inPlain)).toContain('UNAVAILABLE')
  expect(told()).toContain('this port speaks TLS only')
})

test('a service that nobody we trust vouches for, or that is another one, is not called', async () => {
  const { port } = await serve('required', tlsOf('forged', new TestAuthority()))
  expect(await ask(port, callsOf('used'))).toMatch(/certificate signature failure|unable to verify/)
  const elsewhere = await serve('required', tlsOf('elsewhere', authority, 'broker-b'))
  expect(await ask(elsewhere.port, callsOf('used'))).toContain('altnames')
})

test('a handshake that is never finished, and one with nothing behind it, are strangers like any other', async () => {
  const { server, port, meter } = await serve('required', tlsOf('server'), {
    strangersMax: 4,
    handshakeMs: 1_500,
  })
  const half = Array.from({ length: 6 }, () => plain(port, 0x16, 3, 1, 2, 0, 1))
  await Promise.all(half.slice(0, 2).map((socket) => once(socket, 'close')))
  expect(await ask(port, client)).toBe(answered)
  await Promise.all(
    half
      .slice(2)
      .filter((socket) => !socket.destroyed)
      .map((socket) => once(socket, 'close')),
  )
  const silent = connectTls({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['h2'] })
  silent.on('error', () => {})
  silent.resume()
  await once(silent, 'secureConnect')
  await once(silent, 'close')
  const talkative = connectTls({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['h2'] })
  talkative.on('error', () => {})
  talkative.resume()
  talkative.write('GET / HTTP/1.1\r\n\r\n')
  await once(talkative, 'close')
  await once(plain(port, 0x16, 3, 1, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 'close')
  for (const reason of ['crowded', 'late', 'other-protocol', 'tls']) {
    expect(meter.value('rocketmq_ha_connections_refused_total', { reason }), reason).toBeGreaterThan(0)
  }
  expect(server.connections).toBe(1)
})
