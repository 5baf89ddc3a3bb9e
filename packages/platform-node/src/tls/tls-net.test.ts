import { EventEmitter, once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Address, Connection } from '@tandemmq/base'
import { TestAuthority } from '@tandemmq/testkit'
import { afterAll, afterEach, expect, test } from 'vitest'
import { NodeNet } from '../node-net.ts'
import { TlsPlace } from '../testing/tls-place.ts'
import { TlsNet, type TlsNetOptions } from './tls-net.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const HOUR_MS = 3_600_000
const expired = { hosts: ['127.0.0.1'], to: new Date(Date.now() - HOUR_MS / 2) }

const place = new TlsPlace()
afterAll(() => place[Symbol.dispose]())
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const server = place.credentials('server')
const client = place.credentials('client', { uris: ['tandemmq://c/s'] })

/** What an accepted connection has come to. */
interface Accepted {
  readonly connection: Connection
  readonly received: () => Buffer
  /** How often. */
  readonly drained: () => number
  readonly closed: Promise<Error | undefined>
}

async function listen(options: Partial<TlsNetOptions> = {}) {
  const accepted: Accepted[] = []
  const news = new EventEmitter()
  const net = new TlsNet({ credentials: server, mutual: false, ...options })
  const listener = await net.listen(ANY, (connection) => {
    const chunks: Buffer[] = []
    let drained = 0
    const closed = Promise.withResolvers<Error | undefined>()
    connection.start({
      data: (chunk) => chunks.push(Buffer.from(chunk)),
      drained: () => (drained += 1),
      closed: closed.resolve,
    })
    accepted.push({
      connection,
      received: () => Buffer.concat(chunks),
      drained: () => drained,
      closed: closed.promise,
    })
    news.emit('accepted')
  })
  closing.push(() => listener.close())
  let taken = 0
  const next = async (): Promise<Accepted> => {
    for (;;) {
      const one = accepted[taken]
      taken += one === undefined ? 0 : 1
      if (one !== undefined) return one
      await once(news, 'accepted')
    }
  }
  return { address: listener.address, next }
}

async function dial(address: Address, credentials = client): Promise<Connection> {
  const connection = await new TlsNet({ credentials, mutual: false }).connect(address)
  closing.push(() => connection.destroy())
  return connection
}

/** Why a master with this certificate is not taken for one. */
async function why(...wishes: Parameters<TlsPlace['credentials']>): Promise<unknown> {
  const { address } = await listen({ credentials: place.credentials(...wishes) })
  return dial(address).then(
    () => 'connected',
    (failure: unknown) => failure,
  )
}

function refused(words: string) {
  return { code: 'PEER_REFUSED', message: expect.stringMatching(words) }
}

/** What dialling a server comes to that does not speak TLS, and does this with the first bytes. */
async function whyNoTls(answer: (socket: Socket) => void): Promise<unknown> {
  const listener = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  return dial({ host: '127.0.0.1', port: await bound(listener) }).catch((failure: unknown) => failure)
}

async function bound(listener: Server): Promise<number> {
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  closing.push(() => listener.close())
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP listener')
  return address.port
}

function plain(address: Address): Socket {
  const socket = createConnection({ host: address.host, port: address.port })
  closing.push(() => socket.destroy())
  return socket
}

test('what is written arrives, encrypted; a slow reader is waited for; a clean end has no cause', async () => {
  const wire: Buffer[] = []
  const { address, next } = await listen()
  const tap = createServer((from) => {
    const to = createConnection({ host: address.host, port: address.port })
    for (const socket of [from, to]) socket.on('error', () => {})
    from.on('data', (chunk: Buffer) => wire.push(chunk))
    from.pipe(to).pipe(from)
  })
  const port = await bound(tap)
  const connection = await dial({ host: '127.0.0.1', port })
  const accepted = await next()
  const drained = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<Buffer>()
  const over = Promise.withResolvers<Error | undefined>()
  connection.start({ data: answered.resolve, drained: drained.resolve, closed: over.resolve })
  accepted.connection.pause()
  const part = Buffer.alloc(256 * 1024, 'a secret ')
  let sent = 2 * part.length
  while (connection.write(part, part)) sent += 2 * part.length
  accepted.connection.resume()
  await drained.promise
  while (accepted.received().length < sent) await new Promise(setImmediate)
  expect(accepted.connection.write(Buffer.from('an answer'))).toBe(true)
  expect((await answered.promise).toString()).toBe('an answer')
  connection.end()
  expect(await accepted.closed).toBeUndefined()
  expect(await over.promise).toBeUndefined()
  expect(accepted.received().length).toBe(sent)
  expect(accepted.received().subarray(0, part.length).equals(part)).toBe(true)
  expect(Buffer.concat(wire).length).toBeGreaterThan(sent)
  expect(Buffer.concat(wire).includes('a secret a secret')).toBe(false)
  expect(accepted.connection.peerCertificate).toBeUndefined()
})

test('an accepting side takes as much at a time as without TLS, and says once when there is room again', async () => {
  const { address, next } = await listen({ highWaterBytes: 256 * 1024 })
  const connection = await dial(address)
  const lengths: number[] = []
  const received = (): number => lengths.reduce((sum, length) => sum + length, 0)
  connection.start({ data: ({ length }) => lengths.push(length), drained: () => {}, closed: () => {} })
  connection.write(Buffer.from('x'))
  const accepted = await next()
  while (accepted.received().length === 0) await new Promise(setImmediate)
  connection.pause()
  const part = Buffer.alloc(100 * 1024)
  expect([accepted.connection.write(part), accepted.connection.write(part)]).toEqual([true, true])
  let sent = 2 * part.length
  do sent += part.length
  while (accepted.connection.write(part))
  connection.resume()
  while (accepted.drained() === 0) await new Promise(setImmediate)
  while (received() < sent) await new Promise(setImmediate)
  expect([accepted.drained(), accepted.connection.queuedBytes]).toEqual([1, 0])
})

test('a name in a certificate that looks like several is one', async () => {
  const { address, next } = await listen({ mutual: true })
  const sly = place.credentials('sly', { hosts: ['a, URI:tandemmq://c/s', 'b", URI:tandemmq://c/s'] })
  const connection = await dial(address, sly)
  connection.start({ data: () => {}, drained: () => {}, closed: () => {} })
  connection.write(Buffer.from('x'))
  const accepted = await next()
  while (accepted.received().length === 0) await new Promise(setImmediate)
  expect(accepted.connection.peerCertificate).toEqual({ names: [] })
})

test('with mutual TLS the accepting side learns what the certificate of its peer proves', async () => {
  const { address, next } = await listen({ mutual: true })
  const seen = async (credentials = client) => {
    const connection = await dial(address, credentials)
    connection.start({ data: () => {}, drained: () => {}, closed: () => {} })
    connection.write(Buffer.from('x'))
    const { connection: accepted, received } = await next()
    while (received().length === 0) await new Promise(setImmediate)
    return accepted.peerCertificate
  }
  expect(await seen()).toEqual({ names: ['tandemmq://c/s'] })
  expect(await seen(place.credentials('late', expired))).toEqual({ names: [], problem: 'has expired' })
  const early = place.credentials('early', { from: new Date(Date.now() + HOUR_MS / 2) })
  expect(await seen(early)).toEqual({ names: [], problem: 'is not valid yet' })
  const unknown = place.credentials('unknown', { uris: ['tandemmq://c/s'] }, new TestAuthority('Another CA'))
  const problem = 'is signed by no authority that is trusted here'
  expect(await seen(unknown)).toEqual({ names: ['tandemmq://c/s'], problem })
  const impostor = place.credentials('impostor', {}, new TestAuthority())
  expect(await seen(impostor)).toEqual({ names: [], problem })
  const usage = place.credentials('usage', { usage: ['server'] })
  expect(await seen(usage)).toMatchObject({ problem: expect.stringContaining('extended key usage') })
})

test('a peer without a certificate is not turned away, but known to have none', async () => {
  const { address, next } = await listen({ mutual: true })
  const socket = connectTls({ host: address.host, port: address.port, ca: place.authority.cert })
  closing.push(() => socket.destroy())
  socket.write('x')
  const { connection, received } = await next()
  while (received().length === 0) await new Promise(setImmediate)
  expect(connection.peerCertificate).toEqual({ names: [], problem: 'is missing' })
})

test('who is dialled must be who it says, by an authority that we trust', async () => {
  expect(await why('good')).toBe('connected')
  expect(await why('old', expired)).toMatchObject(refused('certificate of 127.0.0.1:.* has expired'))
  expect(await why('name', { hosts: ['127.0.0.2', 'broker-b'] })).toMatchObject(
    refused('is for another host: .*127.0.0.1 is not in the cert'),
  )
  expect(await why('nameless', { name: '127.0.0.1' })).toMatchObject(refused('is for another host'))
  const hosts = { hosts: ['127.0.0.1'] }
  expect(await why('ca', hosts, new TestAuthority('Another CA'))).toMatchObject(refused('no authority'))
  expect(await why('impostor', hosts, new TestAuthority())).toMatchObject(refused('no authority'))
  const usage = await why('usage', { hosts: ['127.0.0.1'], usage: ['client'] })
  expect(usage).toMatchObject(refused('extended key usage'))
})

test('nothing older than TLS 1.3 is spoken', async () => {
  const { address, next } = await listen()
  const socket = connectTls({
    host: address.host,
    port: address.port,
    maxVersion: 'TLSv1.2',
    rejectUnauthorized: false,
  })
  closing.push(() => socket.destroy())
  socket.on('error', () => {})
  expect(await (await next()).closed).toMatchObject({
    code: 'PEER_REFUSED',
    message: expect.stringMatching(/version|protocol/),
  })
})

test('a peer that dials in plain text is answered in it and told apart; garbage is not answered', async () => {
  const { address, next } = await listen({
    answerInPlain: (first) => (first === 0xc1 ? Buffer.from('speak TLS') : undefined),
  })
  const polite = plain(address)
  polite.write(Buffer.from([0xc1, 0, 0]))
  const [answer]: unknown[] = await once(polite, 'data')
  expect(String(answer)).toBe('speak TLS')
  const cause = { code: 'PEER_REFUSED', message: 'it does not speak TLS, and this port takes nothing else' }
  expect(await (await next()).closed).toMatchObject(cause)

  const rude = plain(address)
  rude.on('error', () => {})
  rude.write('GET / HTTP/1.1\r\n\r\n')
  expect(await (await next()).closed).toMatchObject(cause)
})

test('garbage inside a handshake ends that connection with a reason, and no other', async () => {
  const { address, next } = await listen()
  const connection = await dial(address)
  const honest = await next()
  const garbage = [
    Buffer.concat([Buffer.from([0x16, 3, 1, 0, 100]), Buffer.alloc(100, 0x5a)]),
    Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000, 1)]),
    Buffer.alloc(1_000, 0x16),
  ]
  for (const bytes of garbage) {
    const socket = plain(address)
    socket.on('error', () => {})
    socket.write(bytes)
    const cause = await (await next()).closed
    expect(cause).toMatchObject({ code: 'PEER_REFUSED', message: expect.stringContaining('TLS handshake') })
  }
  const drained = Promise.withResolvers<Buffer>()
  connection.start({ data: drained.resolve, drained: () => {}, closed: () => {} })
  honest.connection.write(Buffer.from('still here'))
  expect((await drained.promise).toString()).toBe('still here')
})

test('a handshake that is never finished is one accepted connection until its time is over', async () => {
  const { address, next } = await listen({ handshakeMs: 300 })
  const silent = plain(address)
  silent.on('error', () => {})
  const half = plain(address)
  half.on('error', () => {})
  half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]))
  const [first, second] = [await next(), await next()]
  expect(first.connection.write(Buffer.from('too early'))).toBe(false)
  const causes = await Promise.all([first.closed, second.closed])
  expect(causes.filter((cause) => cause !== undefined)).toMatchObject([{ code: 'PEER_REFUSED' }])
  expect(first.connection.queuedBytes).toBe(0)
})

test('one that is given up in its handshake is closed at once', async () => {
  const { address, next } = await listen()
  const socket = plain(address)
  socket.write(Buffer.from([0x16]))
  const { connection, closed } = await next()
  const reason = new Error('room for others')
  connection.destroy(reason)
  expect(await closed).toBe(reason)
  const other = plain(address)
  const ended = await next()
  ended.connection.end()
  expect(await ended.closed).toBeUndefined()
  await once(other, 'close')
})

test('dialling somebody without TLS says so, whatever it answers', async () => {
  expect(await whyNoTls((socket) => socket.end(Buffer.from([0xc7, 1, 2, 3, 4, 5, 6, 7])))).toMatchObject(
    refused('answers without TLS'),
  )
  expect(await whyNoTls((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))).toMatchObject(
    refused('answers without TLS'),
  )
  expect(await whyNoTls((socket) => socket.end(Buffer.alloc(64)))).toMatchObject(
    refused('answers without TLS'),
  )
  expect(await whyNoTls((socket) => socket.destroy())).toMatchObject(
    refused('hung up during the TLS handshake'),
  )
})

test('nobody there is no matter of TLS, and a dial can be given up in its handshake', async () => {
  const nobody = await new NodeNet().listen(ANY, () => {})
  await nobody.close()
  await expect(dial(nobody.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const called = Promise.withResolvers<Socket>()
  const silent = createServer((socket) => called.resolve(socket.on('error', () => {})))
  const port = await bound(silent)
  const abort = new AbortController()
  const dialling = new TlsNet({ credentials: client, mutual: false }).connect(
    { host: '127.0.0.1', port },
    abort.signal,
  )
  const socket = await called.promise
  await once(socket, 'readable')
  const reason = new Error('no longer wanted')
  abort.abort(reason)
  await expect(dialling).rejects.toBe(reason)
  socket.resume()
  if (!socket.destroyed) await once(socket, 'close')
})

test('files that have changed are used from the next connection on; those that do not fit are not', async () => {
  const { address } = await listen({ credentials: place.credentials('changing', expired) })
  await expect(dial(address)).rejects.toMatchObject({ message: expect.stringContaining('has expired') })
  place.write('changing')
  await expect(dial(address)).rejects.toMatchObject({ message: expect.stringContaining('has expired') })
  place.monotonic += 1_000
  await dial(address)
  expect(place.logger.messages('info')).toContain('the TLS certificate has been read again')
})
