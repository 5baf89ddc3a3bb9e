import type { Connection } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNet } from './simulated-net.ts'

/** One end, with everything that happened to it. */
class End {
  readonly connection: Connection
  received = Buffer.alloc(0)
  chunks = 0
  drained = 0
  closed: (string | undefined)[] = []

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      data: (chunk) => {
        this.received = Buffer.concat([this.received, chunk])
        this.chunks += 1
      },
      drained: () => (this.drained += 1),
      closed: (cause) => this.closed.push(cause && 'code' in cause ? String(cause.code) : undefined),
    })
  }
}

async function pair(seed = 1) {
  const clock = new SimulatedClock()
  const net = new SimulatedNet({ clock, random: new SeededRandom(seed) })
  const accepted: End[] = []
  const listener = await net
    .host('b')
    .listen({ host: '0.0.0.0', port: 10912 }, (connection) => accepted.push(new End(connection)))
  const connect = async (): Promise<{ a: End; b: End }> => {
    const a = new End(await clock.outcome(net.host('a').connect({ host: 'b', port: 10912 })))
    const b = accepted.at(-1)
    if (b === undefined) throw new Error('nothing accepted')
    return { a, b }
  }
  return { clock, net, listener, connect, ...(await connect()) }
}

test('bytes arrive once, in order, after the delay, split anywhere', async () => {
  const { clock, net, a, b } = await pair()
  net.delay('a', 'b', { min: 100, max: 100 })
  const sent = new SeededRandom(2).bytes(500_000)
  for (let at = 0; at < sent.length; at += 10_000) a.connection.write(sent.subarray(at, at + 10_000))
  await clock.advance(99)
  expect(b.received).toHaveLength(0)
  await clock.advance(10_000)
  expect(b.received.equals(sent)).toBe(true)
  expect(b.chunks).toBeGreaterThan(8)
})

test('connecting where nobody listens is refused; a taken port is an error', async () => {
  const { clock, net } = await pair()
  const refused = net.host('a').connect({ host: 'b', port: 1 })
  await expect(clock.outcome(refused)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(net.host('b').listen({ host: 'b', port: 10912 }, () => {})).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('a cut link holds what is sent until it heals; connections survive', async () => {
  const { clock, net, a, b } = await pair()
  net.cut('a', 'b')
  a.connection.write(Buffer.from('hello'))
  b.connection.write(Buffer.from('you'))
  await clock.advance(100_000)
  expect([a.received.length, b.received.length]).toEqual([0, 0])
  net.heal('a', 'b')
  await clock.advance(10)
  expect([a.received.toString(), b.received.toString()]).toEqual(['you', 'hello'])
})

test('a one-way cut lets the other way through', async () => {
  const { clock, net, a, b } = await pair()
  net.cutOneWay('a', 'b')
  a.connection.write(Buffer.from('lost'))
  b.connection.write(Buffer.from('heard'))
  await clock.advance(1_000)
  expect(a.received.toString()).toBe('heard')
  expect(b.received).toHaveLength(0)
})

test('connecting over a cut link hangs: until healed, aborted, or a minute is over', async () => {
  const { clock, net } = await pair()
  net.cut('a', 'b')
  const to = { host: 'b', port: 10912 }
  const aborting = new AbortController()
  const aborted = net.host('a').connect(to, aborting.signal)
  const healed = net.host('a').connect(to)
  await clock.advance(1_000)
  aborting.abort(new Error('enough'))
  await expect(clock.outcome(aborted)).rejects.toThrow('enough')
  net.heal('a', 'b')
  await clock.outcome(healed)
  net.cut('a', 'b')
  await expect(clock.outcome(net.host('a').connect(to), 61_000)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
})

test('half-open: nothing arrives and nobody is told, but new connections work', async () => {
  const { clock, net, a, b, connect } = await pair()
  net.silence('a', 'b')
  a.connection.write(Buffer.from('hello'))
  b.connection.destroy()
  await clock.advance(100_000)
  expect(b.received).toHaveLength(0)
  expect(a.closed).toEqual([])
  const fresh = await connect()
  fresh.a.connection.write(Buffer.from('again'))
  await clock.advance(10)
  expect(fresh.b.received.toString()).toBe('again')
})

test('a receiver that does not read pushes back to the writer, and drained comes once it reads', async () => {
  const { clock, net, a, b } = await pair()
  net.stall('a', 'b')
  let written = 0
  while (a.connection.write(Buffer.alloc(16 * 1024))) written += 1
  expect(written).toBeLessThan(16)
  await clock.advance(1_000)
  expect(a.connection.queuedBytes).toBeGreaterThanOrEqual(64 * 1024)
  expect([b.received.length, a.drained]).toEqual([0, 0])
  net.heal('a', 'b')
  await clock.advance(1_000)
  expect(a.connection.queuedBytes).toBe(0)
  expect([b.received.length, a.drained]).toEqual([(written + 1) * 16 * 1024, 1])
})

test('pause does the same from inside', async () => {
  const { clock, a, b } = await pair()
  b.connection.pause()
  a.connection.write(Buffer.alloc(1_000_000))
  await clock.advance(1_000)
  expect(b.received).toHaveLength(0)
  expect(a.connection.queuedBytes).toBeGreaterThan(900_000)
  b.connection.resume()
  await clock.advance(1_000)
  expect(b.received).toHaveLength(1_000_000)
})

test('reset is seen by both ends, once', async () => {
  const { clock, net, a, b } = await pair()
  net.reset('a', 'b')
  net.reset('a', 'b')
  await clock.advance(10)
  expect([a.closed, b.closed]).toEqual([['ECONNRESET'], ['ECONNRESET']])
  expect(a.connection.write(Buffer.from('x'))).toBe(false)
})

test('end sends what is queued first; both ends close without a cause', async () => {
  const { clock, a, b } = await pair()
  a.connection.write(Buffer.alloc(300_000))
  a.connection.end()
  await clock.advance(1_000)
  expect(b.received).toHaveLength(300_000)
  expect([a.closed, b.closed]).toEqual([[undefined], [undefined]])
})

test('the peers of a killed process are told, those of a dark machine are not', async () => {
  const { clock, net, a, b, connect } = await pair()
  net.host('b').kill()
  await clock.advance(10)
  expect(a.closed).toHaveLength(1)
  expect(b.closed).toEqual([]) // Nobody is left there to be told.
  await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })

  const other = await pair()
  other.net.host('b').powerOff()
  other.a.connection.write(Buffer.from('hello?'))
  await other.clock.advance(10_000)
  expect(other.a.closed).toEqual([])
})

test('a machine that rebooted answers old connections with a reset', async () => {
  const { clock, net, a } = await pair()
  net.host('b').powerOff()
  await clock.advance(1_000)
  net.host('b').powerOn()
  a.connection.write(Buffer.from('still there?'))
  await clock.advance(10)
  expect(a.closed).toEqual(['ECONNRESET'])
})

test('a frozen process sees nothing; its kernel accepts and buffers', async () => {
  const { clock, net, a, b } = await pair()
  net.host('b').freeze()
  a.connection.write(Buffer.from('hello'))
  const late = clock.outcome(net.host('a').connect({ host: 'b', port: 10912 }))
  await late
  await clock.advance(1_000)
  expect(b.received).toHaveLength(0)
  net.host('b').thaw()
  await clock.advance(10)
  expect(b.received.toString()).toBe('hello')
})

test('a process that died can do nothing more on the net', async () => {
  const { clock, net } = await pair()
  const old = net.host('a').attach()
  net.host('a').kill()
  await expect(clock.outcome(old.connect({ host: 'b', port: 10912 }))).rejects.toMatchObject({
    code: 'ENETDOWN',
  })
})

async function run(seed: number): Promise<string> {
  const { clock, a, b } = await pair(seed)
  const trace: string[] = []
  a.connection.write(Buffer.alloc(400_000))
  while (b.received.length < 400_000) {
    await clock.advance(1)
    trace.push(`${clock.monotonic()}:${b.received.length}/${b.chunks}`)
  }
  return trace.join(' ')
}

test('the same seed gives the same chunks at the same instants', async () => {
  expect(await run(4)).toBe(await run(4))
  expect(await run(4)).not.toBe(await run(5))
})
