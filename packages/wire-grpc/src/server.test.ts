import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Client, credentials } from '@grpc/grpc-js'
import { RecordingLogger, RecordingMeter } from '@tandemmq/testkit'
import { afterEach, expect, test } from 'vitest'
import { asIs, echo, realClock, until } from './loopback.test-support.ts'
import { GrpcServer, type GrpcServerOptions } from './server.ts'

const written = new RecordingLogger()
const around = { clock: realClock, logger: written }
type Reply = (error: null, answer: Buffer) => void
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  written.lines.length = 0
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function listening(server = new GrpcServer(around)): Promise<{ server: GrpcServer; port: number }> {
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  cleanups.push(() => server.close())
  return { server, port }
}

function ask(port: number, request = Buffer.from('hello')): Promise<Buffer | undefined> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  cleanups.push(() => client.close())
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/test.Echo/Echo', asIs, asIs, request, (error, answer) => {
      if (error) reject(error)
      else resolve(answer)
    })
  })
}

test('who connects before the services are there waits for them', async () => {
  const { server, port } = await listening()
  const asked = ask(port)
  await until(() => server.connections === 1)
  server.add(echo, { Echo: ({ request }: { request: Buffer }, done: Reply) => done(null, request) })
  expect(String(await asked)).toBe('hello')
})

test('a taken port is named', async () => {
  const { port } = await listening()
  await expect(new GrpcServer(around).listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`),
  })
})

test('closing with patience lets running calls end and takes no new ones', async () => {
  const { server, port } = await listening()
  let finish: (() => void) | undefined
  server.add(echo, {
    Echo: ({ request }: { request: Buffer }, done: Reply) => {
      finish = () => done(null, request)
    },
  })
  const asked = ask(port)
  await until(() => finish !== undefined)
  const closed = server.close(new AbortController().signal)
  await expect(ask(port)).rejects.toMatchObject({ code: 14 })
  finish?.()
  expect(String(await asked)).toBe('hello')
  await closed
})

test('closing at once breaks off what runs, and its callers learn it at once', async () => {
  const { server, port } = await listening()
  let isRunning = false
  server.add(echo, { Echo: () => (isRunning = true) })
  const asked = ask(port).catch((error: unknown) => error)
  await until(() => isRunning)
  await server.close()
  expect(await asked).toMatchObject({ code: 14 })
})

test('a message beyond the limit is refused, and so is a connection too many', async () => {
  const { server, port } = await listening(
    new GrpcServer(around, { maxInboundBytes: 1000, connectionsMax: 1 }),
  )
  server.add(echo, { Echo: ({ request }: { request: Buffer }, done: Reply) => done(null, request) })
  await expect(ask(port, Buffer.alloc(1001))).rejects.toMatchObject({ code: 8 })
  expect(server.connections).toBe(1)
  await call(port)
  expect(server.connections).toBe(1)
  expect(written.lines).toMatchObject([
    { message: 'a connection too many was turned away', facts: { port, connections: 1 } },
  ])
})

/** A connection that says this, or nothing; resolves when the server has closed it. */
function call(port: number, said?: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.resume()
  if (said !== undefined) socket.write(said)
  return new Promise((resolve) => {
    socket.on('close', () => resolve())
    socket.on('error', () => {})
  })
}

function echoing(
  options: Partial<GrpcServerOptions>,
  meter = new RecordingMeter(),
): Promise<{ server: GrpcServer; port: number }> {
  const server = new GrpcServer({ ...around, meter }, options)
  server.add(echo, { Echo: ({ request }: { request: Buffer }, done: Reply) => done(null, request) })
  return listening(server)
}

test.each([
  ['nothing', undefined, 'late'],
  ['half of the preface', 'PRI * HTTP', 'late'],
  ['something else', 'GET / HTTP/1.1\r\n\r\n', 'other-protocol'],
  ['something else in the end', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r!', 'other-protocol'],
])('who says %s is hung up on, and it is told', async (_what, said, reason) => {
  const { server, port } = await echoing({ handshakeMs: 50 })
  await call(port, said)
  await until(() => server.connections === 0)
  expect(written.lines).toMatchObject([
    { message: 'a connection was closed that is no gRPC', facts: { port, reason } },
  ])
})

test('many connections that say nothing make room for each other and for one that speaks', async () => {
  const meter = new RecordingMeter()
  const { server, port } = await echoing({ strangersMax: 3 }, meter)
  const calls = Array.from({ length: 20 }, () => call(port))
  await Promise.race(calls)
  expect(String(await ask(port))).toBe('hello')
  await until(() => server.connections === 3)
  expect(written.lines[0]).toMatchObject({ facts: { reason: 'crowded' } })
  expect(meter.value('rocketmq_ha_connections_refused_total', { port: 'grpc' })).toBeGreaterThanOrEqual(17)
  expect(meter.value('rocketmq_ha_grpc_connections')).toBe(3)
  expect(written.lines.length).toBeLessThanOrEqual(10)
})

test('a preface in pieces is a preface, whatever follows in the same packet', async () => {
  const { port } = await echoing({})
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.write('PRI * HTTP/2.0\r\n')
  await new Promise((resolve) => setImmediate(resolve))
  const settings = Buffer.from('000000040000000000', 'hex')
  const ping = Buffer.concat([Buffer.from('000008060000000000', 'hex'), Buffer.from('abcdefgh')])
  socket.write(Buffer.concat([Buffer.from('\r\nSM\r\n\r\n'), settings, ping]))
  let heard = ''
  for await (const chunk of socket) {
    heard += String(chunk)
    if (heard.includes('abcdefgh')) break
  }
})

/** A call whose message is longer than what comes of it. */
function beginCall(session: ClientHttp2Session, bytes: Buffer): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.on('error', () => {})
  stream.write(Buffer.concat([Buffer.from([0, 0, 0xff, 0xff, 0xff]), bytes]))
  return stream
}

test.each([
  ['that take too long', { requestMs: 50 }, 'request-late'],
  ['that hold too much', { unfinishedBytesMax: 150_000 }, 'unfinished'],
  ['that hold too much together with others', { unfinishedTotalMax: 150_000 }, 'unfinished'],
])('a connection with requests %s is closed, and it is told; others go on', async (_what, limits, reason) => {
  const { port, server } = await echoing({ ...limits, maxInboundBytes: 0xffffff })
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  cleanups.push(() => session.destroy())
  for (let calls = 0; calls < 3; calls++) beginCall(session, Buffer.alloc(100_000))
  const closed = once(session, 'close')
  for (let answers = 0; answers < 50; answers++) expect(String(await ask(port))).toBe('hello')
  await closed
  expect(String(await ask(port))).toBe('hello')
  expect(server.connections).toBeGreaterThan(0)
  expect(written.lines).toMatchObject([{ message: 'a gRPC connection was closed', facts: { port, reason } }])
})

test.each([
  ['gzip', 1, '12'],
  ['deflate', 1, '12'],
  ['gzip', 0, '0'],
  ['identity', 0, '0'],
])('with encoding %s and compression mark %i a call ends with status %s', async (encoding, mark, status) => {
  const { port } = await echoing({})
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  cleanups.push(() => session.destroy())
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Echo',
    'content-type': 'application/grpc',
    'grpc-encoding': encoding,
    te: 'trailers',
  })
  const ended = new Promise((resolve) => {
    stream.on(
      'response',
      (headers) => headers['grpc-status'] !== undefined && resolve(headers['grpc-status']),
    )
    stream.on('trailers', (trailers) => resolve(trailers['grpc-status']))
  })
  const body = mark === 1 ? gzipSync(Buffer.alloc(1_000)) : Buffer.from('hello')
  stream.end(Buffer.concat([Buffer.from([mark, 0, 0, 0, body.length]), body]))
  stream.resume()
  expect(await ended).toBe(status)
})
