import { silentLogger, type Connection } from '@tandemmq/base'
import { afterEach, expect, test } from 'vitest'
import { hostAndPort } from './node-connection.ts'
import { NodeNet } from './node-net.ts'

const ANY = { host: '127.0.0.1', port: 0 }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function pair(net: NodeNet): Promise<{ client: Connection; server: Connection }> {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await net.listen(ANY, (connection) => {
    accepted.resolve(connection)
  })
  closing.push(() => listener.close())
  const client = await net.connect(listener.address)
  return { client, server: await accepted.promise }
}

function closedOf(
  connection: Connection,
  onData: (chunk: Buffer) => void = () => {},
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    connection.start({ data: onData, drained: () => {}, closed: resolve })
  })
}

test('several parts arrive in order, and a clean end has no cause', async () => {
  const { client, server } = await pair(new NodeNet())
  const chunks: Buffer[] = []
  const received = closedOf(server, (chunk) => chunks.push(chunk))
  const sent = closedOf(client)
  client.write(Buffer.from('ab'), Buffer.from('cd'), Buffer.from('e'))
  client.end()
  expect(await received).toBeUndefined()
  expect(await sent).toBeUndefined()
  expect(Buffer.concat(chunks).toString()).toBe('abcde')
  expect(client.write(Buffer.from('late'))).toBe(false)
})

test('a side that connects reads into the same memory again and again, and nothing before it has started', async () => {
  const { client, server } = await pair(new NodeNet())
  server.start({ data: () => {}, drained: () => {}, closed: () => {} })
  const sent = Buffer.alloc(3 * 1024 * 1024, 'abcdefg')
  server.write(sent)
  const received: Buffer[] = []
  const memories = new Set<ArrayBufferLike>()
  let bytes = 0
  await new Promise<void>((resolve) => {
    client.start({
      data: (chunk) => {
        memories.add(chunk.buffer)
        received.push(Buffer.from(chunk))
        bytes += chunk.length
        if (bytes === sent.length) resolve()
      },
      drained: () => {},
      closed: () => {},
    })
  })
  expect(Buffer.concat(received).equals(sent)).toBe(true)
  expect(memories.size).toBe(1)
})

test('a full buffer says so, and drained comes once the peer reads', async () => {
  const { client, server } = await pair(new NodeNet())
  const drained = Promise.withResolvers<void>()
  let received = 0
  server.start({ data: (chunk) => void (received += chunk.length), drained: () => {}, closed: () => {} })
  server.pause()
  client.start({ data: () => {}, drained: drained.resolve, closed: () => {} })
  const part = Buffer.alloc(256 * 1024)
  let sent = part.length
  while (client.write(part)) sent += part.length
  expect(client.queuedBytes).toBeGreaterThan(0)
  server.resume()
  await drained.promise
  expect(client.queuedBytes).toBe(0)
  const ended = Promise.withResolvers<void>()
  closing.push(async () => ended.resolve())
  client.end()
  expect(sent).toBeGreaterThanOrEqual(received)
})

test('a peer that never reads costs its connection, not our memory', async () => {
  const { client, server } = await pair(new NodeNet({ queuedBytesMax: 1 << 20 }))
  server.start({ data: () => {}, drained: () => {}, closed: () => {} })
  server.pause()
  const closed = closedOf(client)
  for (let i = 0; i < 1_000; i += 1) client.write(Buffer.alloc(1 << 18))
  expect(await closed).toMatchObject({ code: 'SYSTEM_BUSY' })
})

test('destroying says why on our side; the other side sees an end or a reset', async () => {
  const { client, server } = await pair(new NodeNet())
  const mine = closedOf(client)
  const theirs = closedOf(server)
  const cause = new Error('enough')
  client.destroy(cause)
  client.destroy(new Error('later'))
  expect(await mine).toBe(cause)
  await theirs
})

test('a taken port, a refused connection and an abort reject', async () => {
  const net = new NodeNet()
  const listener = await net.listen(ANY, () => {})
  await expect(net.listen(listener.address, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const { address } = listener
  await listener.close()
  await expect(net.connect(address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const reason = new Error('no longer wanted')
  await expect(net.connect(address, AbortSignal.abort(reason))).rejects.toBe(reason)
  const abort = new AbortController()
  const connecting = net.connect(address, abort.signal)
  abort.abort(reason)
  await expect(connecting).rejects.toBe(reason)
})

test('closing a listener destroys what it accepted', async () => {
  const net = new NodeNet()
  const accepted = Promise.withResolvers<Connection>()
  const listener = await net.listen(ANY, accepted.resolve)
  const client = await net.connect(listener.address)
  const closed = closedOf(client)
  const server = closedOf(await accepted.promise)
  await listener.close()
  await Promise.all([closed, server])
})

test('more connections than the limit are closed at once', async () => {
  const told: string[] = []
  const logger = { ...silentLogger, warn: (_facts: object, message: string) => void told.push(message) }
  const net = new NodeNet({ connectionsMax: 1, logger })
  const listener = await net.listen(ANY, (connection) => {
    connection.start({ data: () => {}, drained: () => {}, closed: () => {} })
  })
  closing.push(() => listener.close())
  const first = await net.connect(listener.address)
  const firstClosed = closedOf(first)
  const second = await net.connect(listener.address)
  await closedOf(second)
  expect(told).toEqual(['a connection too many was turned away'])
  first.end()
  await firstClosed
})

test('addresses are written so that they can be read back', () => {
  expect(hostAndPort('::ffff:10.0.0.1', 7)).toBe('10.0.0.1:7')
  expect(hostAndPort('::1', 7)).toBe('[::1]:7')
})
