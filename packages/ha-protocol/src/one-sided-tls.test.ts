import { BrokerError, silentMeter } from '@tandemmq/base'
import type { Address, Connection, ConnectionHandlers, Listener, Net } from '@tandemmq/base'
import { HandshakeReader, decodeAnswer } from '@tandemmq/codec'
import { RecordingLogger, SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { HaMaster } from './ha-master.ts'
import { HaSlave } from './ha-slave.ts'
import { answerInPlain } from './one-sided-tls.ts'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { HA_PORT, Pair, complaints } from './testing/pair.ts'

/** The first bytes of a TLS connection. */
const CLIENT_HELLO = Buffer.from('160301020001', 'hex')

test('a slave that encrypts meets a master that does not: told there, and answered with bytes that are no TLS', async () => {
  const pair = new Pair()
  await pair.listen()
  const net = pair.net.host('x').attach()
  const connection = await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT }))
  let answer = Buffer.alloc(0)
  connection.start({
    data: (chunk) => (answer = Buffer.concat([answer, chunk])),
    drained: () => {},
    closed: () => {},
  })
  connection.write(CLIENT_HELLO)
  await pair.clock.advance(100)
  const words = 'the slave speaks TLS, its master does not: haTls must be the same on both'
  expect(complaints(pair.masterLogger)).toEqual([`tls: ${words}`])
  const taken = new HandshakeReader().push(answer)
  expect(taken === undefined ? undefined : decodeAnswer(taken.message.body)).toMatchObject({ kind: 'refuse' })
})

test('a slave that does not encrypt is told so by the answer in plain text, and waits before it comes again', async () => {
  const pair = new Pair()
  let calls = 0
  await pair.net
    .host('m')
    .attach()
    .listen({ host: 'm', port: HA_PORT }, (connection) => {
      calls += 1
      const data = (chunk: Buffer): void => {
        const answer = answerInPlain(chunk[0] ?? 0)
        if (answer !== undefined) connection.write(answer)
        connection.end()
      }
      connection.start({ data, drained() {}, closed() {} })
    })
  pair.follow(pair.emptyLog())
  await pair.clock.advance(1_000)
  const words = 'the master speaks TLS only, its slave does not: haTls must be the same on both'
  expect(complaints(pair.slaveLogger)).toEqual([`tls: ${words}`])
  expect(calls).toBe(1)
  expect(answerInPlain(0)).toBeUndefined()
  expect(answerInPlain(0x47)).toBeUndefined()
})

/** A net whose dials all fail in this way, or whose accepted connections do. */
class FailingNet implements Net {
  dials = 0
  readonly #failure: Error
  #accept: ((connection: Connection) => void) | undefined

  constructor(failure: Error) {
    this.#failure = failure
  }

  async listen(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    this.#accept = accept
    return { address, close: async () => {} }
  }

  connect(): Promise<Connection> {
    this.dials += 1
    return Promise.reject(this.#failure)
  }

  /** Somebody connects, and its handshake fails. */
  call(): void {
    let handlers: ConnectionHandlers | undefined
    this.#accept?.({
      remote: 'x:1',
      queuedBytes: 0,
      start: (given) => (handlers = given),
      write: () => true,
      pause() {},
      resume() {},
      end() {},
      destroy() {},
    })
    handlers?.closed(this.#failure)
  }
}

test('a slave that cannot be encrypted says so at once and once, not that its master is away', async () => {
  const clock = new SimulatedClock()
  const logger = new RecordingLogger()
  const net = new FailingNet(new BrokerError('PEER_REFUSED', 'the certificate of m:1 has expired'))
  const member = { cluster: 'c', set: 's', identity: 's', instanceId: 's-1' }
  const ports = { net, clock, random: new SeededRandom(1), logger, meter: silentMeter }
  const log = new MemoryLog(clock, {})
  const slave = HaSlave.start({ masterAddress: { host: 'm', port: 1 }, ...member }, ports, log)
  await clock.advance(1)
  const told = ['tls: the certificate of m:1 has expired']
  expect(complaints(logger)).toEqual(told)
  await clock.advance(30_000)
  expect(complaints(logger)).toEqual(told)
  expect(net.dials).toBeGreaterThan(25)
  slave.close()
})

test('a TLS handshake that fails is one line with the reason, and counted as refused', async () => {
  const clock = new SimulatedClock()
  const logger = new RecordingLogger()
  const counted: unknown[] = []
  const counter = { add: (_by?: number, labels?: unknown) => void counted.push(labels) }
  const meter = { ...silentMeter, counter: () => counter }
  const net = new FailingNet(new BrokerError('PEER_REFUSED', 'it does not speak TLS'))
  const log = new MemoryLog(clock, { lineage: lineageOf({ 1: 0 }) })
  const master = await HaMaster.listen(
    {
      address: { host: 'm', port: 1 },
      cluster: 'c',
      set: 's',
      identity: 'm',
      instanceId: 'm-1',
      flushRequired: false,
      inSyncReplicas: 2,
    },
    { net, clock, random: new SeededRandom(1), logger, meter },
    log,
  )
  net.call()
  expect(complaints(logger)).toEqual(['tls: it does not speak TLS'])
  expect(counted).toEqual([{ reason: 'tls' }])
  await master.close()
})
