import type { Connection } from '@tandemmq/base'
import {
  DownwardReader,
  HandshakeReader,
  UpwardReader,
  appendMac,
  decodeHello,
  encodeAnswer,
  encodeControlDown,
  encodeControlUp,
  encodeFrameHeader,
  encodeHandshake,
  encodeHello,
  encodeProof,
  encodeReport,
} from '@tandemmq/codec'
import type { Control, Hello } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { proofOf } from './authentication.ts'
import { VERIFIED_BYTES_MAX } from './range-verification.ts'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { HA_PORT, Pair, SECRET } from './testing/pair.ts'
import { strangerHello } from './testing/stranger.ts'

// Peers that have the secret of the set, and mean no good.

const FAR = 2 ** 53 - 2
const MIB = 1024 * 1024

const hello: Hello = { ...strangerHello, role: 'master', identity: 'insider' }

/** One that counts what it is asked to read. */
class CountingLog extends MemoryLog {
  checksums = 0
  longest = 0

  override checksum(from: number, to: number): number {
    this.checksums += 1
    this.longest = Math.max(this.longest, to - from)
    return super.checksum(from, to)
  }
}

/** Every field of a control frame with values that no honest peer says; frames of raw tags among them. */
function absurdities(log: { readonly end: number }): readonly Control[] {
  const ends = [0, 1, log.end, log.end + 1, FAR]
  const ranges = [
    { from: 0, to: FAR },
    { from: log.end, to: log.end + 1 },
    { from: FAR - 1, to: FAR },
    { from: 0, to: 1 },
    { from: 0, to: VERIFIED_BYTES_MAX + 1 },
  ]
  return [
    ...ranges.flatMap((range): Control[] => [
      { check: range },
      { checked: { ...range, crc: 0xffffffff } },
      { unchecked: range },
      { mismatch: range },
      { equal: range },
    ]),
    ...ends.flatMap((at): Control[] => [
      { end: at },
      { countsTo: at },
      { confirmed: Math.min(at, log.end) },
      { flushed: at },
      { dispatched: at },
    ]),
    { leaving: true },
    { leaving: false },
    { ping: FAR },
    { pong: FAR },
    { writable: false, problem: 'x'.repeat(1_024) },
    { writable: true },
  ]
}

/** `tag`, a length, and what is said: ranges that go back, are empty, negative, beyond 2^53, or too short. */
const malformed: readonly (readonly [string, number, string])[] = [
  ['a range that goes back', 16, '00000000000000100000000000000001'],
  ['an empty range', 17, '0000000000000010000000000000001000000000'],
  ['a negative range', 20, 'ffffffffffffffff0000000000000001'],
  ['a range beyond 2^53', 21, '00000000000000007fffffffffffffff'],
  ['half a range', 16, '0000000000000000'],
  ['a negative end', 10, 'ffffffffffffffff'],
  ['a limit beyond 2^53', 9, '7fffffffffffffff'],
  ['leaving in no byte', 8, ''],
]

function rawField(tag: number, hex: string): Buffer {
  const value = Buffer.from(hex, 'hex')
  const head = Buffer.alloc(4)
  head.writeUInt16BE(tag, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}

/** A master that has the secret, and says what it likes once its slave streams; it reads unless told not to. */
class HostileMaster {
  readonly heard: Control[] = []
  isClosed = false
  calls = 0
  #connection: Connection | undefined
  #upward = new UpwardReader()

  static async listen(pair: Pair): Promise<HostileMaster> {
    const master = new HostileMaster()
    const net = pair.net.host('m').attach()
    await net.listen({ host: 'm', port: HA_PORT }, (connection) => master.#accept(connection))
    return master
  }

  say(...frames: readonly Buffer[]): void {
    this.#connection?.write(Buffer.concat(frames))
  }

  stopReading(): void {
    this.#connection?.pause()
  }

  readOn(): void {
    this.#connection?.resume()
  }

  #accept(connection: Connection): void {
    this.calls += 1
    this.#connection = connection
    this.isClosed = false
    this.#upward = new UpwardReader()
    let reader = new HandshakeReader()
    let isStream = false
    const take = (chunk: Buffer): void => {
      if (isStream) return this.#hear(chunk)
      const taken = reader.push(chunk)
      if (taken === undefined) return
      reader = new HandshakeReader()
      if (taken.message.kind === 'slave-hello') {
        const ours = encodeHello(hello)
        const mac = proofOf(SECRET, 'master', decodeHello(taken.message.body).signed, ours)
        connection.write(encodeHandshake('master-hello', appendMac(ours, mac)))
        return
      }
      const accept = { kind: 'accept', at: 0, flushRequired: false, counted: true } as const
      connection.write(encodeHandshake('answer', encodeAnswer({ ...accept, lineage: lineageOf({ 1: 0 }) })))
      isStream = true
      this.#hear(taken.rest)
    }
    connection.start({ data: take, drained() {}, closed: () => (this.isClosed = true) })
  }

  #hear(chunk: Buffer): void {
    this.#upward.feed(chunk)
    for (let unit = this.#upward.next(); unit !== undefined; unit = this.#upward.next()) {
      if (unit.kind === 'control') this.heard.push(unit.control)
    }
  }
}

async function followed(bytes = 0) {
  const pair = new Pair(7)
  const log = new CountingLog(pair.clock, { segmentBytes: hello.segmentBytes })
  const master = await HostileMaster.listen(pair)
  const slave = pair.follow(log)
  await pair.clock.runUntil(() => slave.state.kind === 'streaming')
  for (let at = 0; at < bytes; at += hello.segmentBytes) {
    master.say(encodeFrameHeader(at, hello.segmentBytes), pair.random.bytes(hello.segmentBytes))
  }
  await pair.clock.runUntil(() => log.end === bytes, 10_000)
  return { pair, log, master, slave }
}

test('a master that asks for thousands of checksums at once gets one for each time the slave reads', async () => {
  const { pair, log, master, slave } = await followed(VERIFIED_BYTES_MAX)
  const check = encodeControlDown({ check: { from: 0, to: VERIFIED_BYTES_MAX } }, log.end)
  const frames = Array.from({ length: 20_000 }, () => check)
  master.say(...frames)
  await pair.clock.advance(1_000)
  expect(slave.state.kind).toBe('streaming')
  expect(log.checksums).toBeGreaterThan(0)
  expect(log.checksums).toBeLessThan(frames.length / 10)
  // The last one is answered, whatever came before.
  const before = master.heard.length
  master.say(encodeControlDown({ check: { from: 5, to: 9 } }, log.end))
  await pair.clock.advance(1_000)
  expect(master.heard.slice(before).map(({ checked }) => checked?.from)).toContain(5)
})

test('a master that asks and does not read costs its slave a bounded queue, and is served again when it reads', async () => {
  const { pair, log, master, slave } = await followed()
  master.stopReading()
  const asked = 30_000
  for (let sent = 0; sent < asked; sent += 1_000) {
    master.say(...Array.from({ length: 1_000 }, (_, n) => encodeControlDown({ ping: n }, log.end)))
    await pair.clock.advance(50)
  }
  master.readOn()
  await pair.clock.advance(2_000)
  const answered = master.heard.filter(({ pong }) => pong !== undefined).length
  // 64 KiB on the way, 64 KiB queued, at 20 bytes each.
  expect(answered).toBeGreaterThan(1_000)
  expect(answered).toBeLessThan(10_000)
  master.say(encodeControlDown({ ping: 77_777 }, log.end))
  await pair.clock.advance(1_000)
  expect(master.heard.at(-1)?.pong).toBe(77_777)
  expect(slave.state.kind).toBe('streaming')
})

test('a master that complains of thousands of ranges fills neither the log of lines nor the memory of its slave', async () => {
  const { pair, log, master, slave } = await followed()
  const complaint = (n: number) => encodeControlDown({ mismatch: { from: n, to: FAR - n } }, log.end)
  master.say(...Array.from({ length: 5_000 }, (_, n) => complaint(n)))
  await pair.clock.advance(2_000)
  expect(pair.slaveLogger.messages('error')).toHaveLength(10)
  expect(slave.following().mismatches).toHaveLength(64)
  const known = [...slave.following().mismatches]
  master.say(...Array.from({ length: 1_000 }, () => complaint(4_999)))
  await pair.clock.advance(2_000)
  expect(slave.following().mismatches).toEqual(known)
})

test('no value of any field from a master breaks its slave; nothing is read that is not there, and it still leaves in time', async () => {
  const { pair, log, master, slave } = await followed(VERIFIED_BYTES_MAX)
  for (const control of absurdities(log)) {
    master.say(encodeControlDown(control, log.end))
    await pair.clock.advance(20)
    expect(slave.state.kind, JSON.stringify(control)).toBe('streaming')
  }
  expect(log.longest).toBeLessThanOrEqual(VERIFIED_BYTES_MAX)
  expect(log.end).toBe(VERIFIED_BYTES_MAX)
  const left = slave.leave()
  await pair.clock.advance(20)
  master.say(encodeControlDown({ countsTo: FAR }, log.end))
  await pair.clock.outcome(left)
  expect(slave.state.kind).toBe('stopped')
})

test.each(malformed)(
  '%s from a master ends the connection, and the slave calls again',
  async (_what, tag, hex) => {
    const { pair, log, master, slave } = await followed()
    const body = rawField(tag, hex)
    master.say(encodeFrameHeader(log.end, -body.length), body)
    await pair.clock.runUntil(() => master.isClosed)
    await pair.clock.runUntil(() => master.calls === 2 && slave.state.kind === 'streaming', 20_000)
  },
)

/** A slave that has the secret. */
class HostileSlave {
  readonly connection: Connection
  received = 0
  isClosed = false
  readonly #take: (chunk: Buffer) => void

  private constructor(connection: Connection, take: (chunk: Buffer) => void) {
    this.connection = connection
    this.#take = take
    connection.start({
      data: (chunk) => {
        this.received += chunk.length
        this.#take(chunk)
      },
      drained() {},
      closed: () => (this.isClosed = true),
    })
  }

  static async join(pair: Pair, answer: (control: Control) => Control | undefined = () => undefined) {
    const net = pair.net.host('x').attach()
    const connection = await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT }))
    const signed = encodeHello({ ...hello, role: 'slave' })
    const downward = new DownwardReader()
    let reader = new HandshakeReader()
    let isStream = false
    const take = (chunk: Buffer): void => {
      if (!isStream) {
        const taken = reader.push(chunk)
        if (taken === undefined) return
        reader = new HandshakeReader()
        if (taken.message.kind === 'answer') isStream = true
        else {
          const mac = proofOf(SECRET, 'slave', signed, decodeHello(taken.message.body).signed)
          connection.write(encodeHandshake('proof', encodeProof({ mac })))
        }
        return take(taken.rest)
      }
      downward.feed(chunk)
      for (let unit = downward.next(); unit !== undefined; unit = downward.next()) {
        if (unit.kind === 'frame') connection.write(encodeReport(unit.offset))
        if (unit.kind === 'piece') connection.write(encodeReport(unit.offset + unit.bytes.length))
        const said = unit.kind === 'control' ? answer(unit.control) : undefined
        if (said !== undefined) connection.write(encodeControlUp(said))
      }
    }
    const slave = new HostileSlave(connection, take)
    connection.write(encodeHandshake('slave-hello', signed))
    await pair.clock.runUntil(() => isStream)
    connection.write(encodeReport(0))
    return slave
  }

  say(...frames: readonly Buffer[]): void {
    this.connection.write(Buffer.concat(frames))
  }
}

async function joined(bytes: number, answer?: (control: Control) => Control | undefined) {
  const pair = new Pair(8)
  const log = new CountingLog(pair.clock, { segmentBytes: hello.segmentBytes, lineage: lineageOf({ 1: 0 }) })
  log.write(pair.random.bytes(bytes))
  const master = await pair.listen({}, log)
  const insider = await HostileSlave.join(pair, answer)
  await pair.clock.runUntil(() => master.replicated.at === bytes, 10_000)
  master.setConfirmed(bytes)
  return { pair, log, master, insider }
}

test('no value of any field from a slave breaks its master, and nothing is read that nobody asked for', async () => {
  const { pair, log, master, insider } = await joined(100_000)
  for (const control of absurdities(log)) {
    insider.say(encodeControlUp(control))
    await pair.clock.advance(20)
    expect(insider.isClosed, JSON.stringify(control)).toBe(false)
  }
  expect([log.checksums, master.replicated.at]).toEqual([0, 100_000])
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.replicas().length === 2, 10_000)
  await master.close()
})

test.each(malformed)('%s from a slave ends its connection, and no other', async (_what, tag, hex) => {
  const { pair, master, insider } = await joined(1_000)
  const log = pair.emptyLog()
  const honest = pair.follow(log)
  await pair.clock.runUntil(() => log.end === 1_000, 10_000)
  const body = rawField(tag, hex)
  insider.say(encodeReport(-body.length), body)
  await pair.clock.runUntil(() => insider.isClosed)
  expect([honest.state.kind, master.replicas().length]).toEqual(['streaming', 1])
  await master.close()
})

test.each([
  ['goodbyes', { leaving: true }],
  ['pings', { ping: 1 }],
] as const)(
  '%s without end from a slave that does not read cost its master a bounded queue',
  async (_what, control) => {
    const { pair, master, insider } = await joined(1_000)
    const before = insider.received
    insider.connection.pause()
    for (let sent = 0; sent < 100_000; sent += 5_000) {
      insider.say(...Array.from({ length: 5_000 }, () => encodeControlUp(control)))
      await pair.clock.advance(100)
    }
    insider.connection.resume()
    await pair.clock.advance(10_000)
    expect(insider.received - before).toBeGreaterThan(64 * 1024)
    expect(insider.received - before).toBeLessThan(1.5 * MIB)
    await master.close()
  },
)

test('a slave that answers every second question wrongly is told of in a few lines', async () => {
  let asked = 0
  const { pair, log, master } = await joined(VERIFIED_BYTES_MAX, ({ check }) => {
    if (check === undefined) return undefined
    asked += 1
    const crc = log?.checksum(check.from, check.to) ?? 0
    const isWrong = check.to - check.from > 64 || (check.from >> 6) % 2 === 0
    return { checked: { ...check, crc: isWrong ? (crc ^ 1) >>> 0 : crc } }
  })
  await pair.clock.runUntil(() => (master.slaves()[0]?.verification.found ?? 0) > 0, 120_000)
  expect(asked).toBeGreaterThan(4_000)
  expect(master.slaves()[0]?.verification).toMatchObject({ found: 2_048, mismatches: { length: 64 } })
  expect(pair.masterLogger.messages('error')).toHaveLength(10)
  await master.close()
})
