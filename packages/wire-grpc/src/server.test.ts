import { connect } from 'node:net'
import { Client, credentials, type ServiceDefinition } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { until } from './loopback.test-support.ts'
import { GrpcServer } from './server.ts'

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

type Reply = (error: null, answer: Buffer) => void
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function listening(server = new GrpcServer()): Promise<{ server: GrpcServer; port: number }> {
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
  await expect(new GrpcServer().listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
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
  const { server, port } = await listening(new GrpcServer({ maxInboundBytes: 1000, connectionsMax: 1 }))
  server.add(echo, { Echo: ({ request }: { request: Buffer }, done: Reply) => done(null, request) })
  await expect(ask(port, Buffer.alloc(1001))).rejects.toMatchObject({ code: 8 })
  expect(server.connections).toBe(1)
  const socket = connect(port, '127.0.0.1')
  socket.resume()
  await new Promise((resolve) => {
    socket.on('close', resolve)
    socket.on('error', () => {})
  })
  expect(server.connections).toBe(1)
})
