import {
  decodeAnswer,
  decodeHello,
  encodeControlUp,
  encodeHandshake,
  encodeHello,
  encodeProof,
  encodeReport,
} from '@tandemmq/codec'
import { MachineClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import type { HaMasterOptions } from './ha-master.ts'
import type { HaSlaveOptions } from './ha-slave-options.ts'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { HA_PORT, Pair, complaints } from './testing/pair.ts'
import { Stranger, handshake, strangerHello } from './testing/stranger.ts'

const mismatches: readonly (readonly [string, Partial<HaMasterOptions>, Partial<HaSlaveOptions>, string])[] =
  [
    [
      'another cluster',
      {},
      { cluster: 'Other' },
      'wrong-cluster: slave "slave-1" is of cluster "Other", its peer of "DefaultCluster"',
    ],
    [
      'another set',
      {},
      { set: 'broker-b' },
      'wrong-set: slave "slave-1" is of broker set "broker-b", its peer of "broker-a"',
    ],
    [
      'the identity of its master',
      {},
      { identity: 'master' },
      'same-identity: slave "master" has the identity of its own peer',
    ],
    [
      'another secret',
      {},
      { secret: Buffer.from('guessed') },
      'wrong-secret: master "master" has another secret than its peer',
    ],
  ]

for (const [what, master, slave, words] of mismatches) {
  test(`a slave with ${what} is refused; both sides say why`, async () => {
    const pair = new Pair()
    pair.masterLog.write(pair.random.bytes(100))
    const ha = await pair.listen(master)
    const log = pair.emptyLog()
    const follower = pair.follow(log, slave)
    await pair.clock.advance(8_000)
    expect([...new Set(complaints(pair.masterLogger))]).toEqual([words])
    expect(complaints(pair.slaveLogger)).toEqual([words])
    expect(follower.state).toMatchObject({ trouble: { reason: words.split(':')[0] } })
    expect([ha.replicas(), log.end, log.lineage]).toEqual([[], 0, undefined])
    // Tried again, but slowly.
    expect(complaints(pair.masterLogger).length).toBeLessThanOrEqual(4)
  })
}

test('a secret on one side only is refused by that side', async () => {
  for (const side of ['master', 'slave'] as const) {
    const pair = new Pair()
    const master = await pair.listen({}, pair.masterLog, side === 'master')
    const slave = pair.follow(pair.emptyLog(), {}, 's', side === 'slave')
    await pair.clock.advance(3_000)
    expect(slave.state).toMatchObject({ trouble: { reason: 'wrong-secret' } })
    expect(complaints(pair.masterLogger)[0]).toMatch(/^wrong-secret: .* secret/)
    expect(master.replicas()).toEqual([])
  }
})

test('without a secret on either side no MAC is needed', async () => {
  const pair = new Pair()
  pair.masterLog.write(Buffer.from('open'))
  const master = await pair.listen({}, pair.masterLog, false)
  pair.follow(pair.emptyLog(), {}, 's', false)
  await pair.clock.outcome(master.waitFor(4))
})

test('segments of another length are refused: files could not be identical', async () => {
  const pair = new Pair()
  await pair.listen()
  const slave = pair.follow(new MemoryLog(pair.clock, { segmentBytes: 4096 }))
  await pair.clock.advance(1_000)
  expect(slave.state).toMatchObject({ trouble: { reason: 'segment-size' } })
})

test('a slave of another log is refused, and nothing of it is cut', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  await pair.listen()
  const log = new MemoryLog(pair.clock, { lineage: lineageOf({ 1: 0 }, 5) })
  log.write(pair.random.bytes(50))
  const slave = pair.follow(log)
  await pair.clock.advance(1_000)
  expect(slave.state).toMatchObject({ trouble: { reason: 'not-our-lineage' } })
  expect([log.end, log.cuts]).toEqual([50, []])
})

test('a recorded handshake cannot be played again: the nonce of the master is another (rule 2.2)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const genuine = await Stranger.call(pair)
  const recorded = await handshake(pair, genuine)
  expect(decodeAnswer(genuine.message().body).kind).toBe('accept')
  genuine.connection.destroy()
  await pair.clock.advance(100)

  const replay = await Stranger.call(pair)
  replay.say(recorded[0] ?? Buffer.alloc(0))
  await pair.clock.advance(10)
  replay.message()
  replay.say(recorded[1] ?? Buffer.alloc(0))
  await pair.clock.advance(10)
  expect(decodeAnswer(replay.message().body)).toMatchObject({
    kind: 'refuse',
    refusal: { reason: 'wrong-secret' },
  })
  expect(master.replicas()).toEqual([])
})

test("a master's proof sent back is not a slave's (the role is in the MAC)", async () => {
  const pair = new Pair()
  await pair.listen()
  const stranger = await Stranger.call(pair)
  stranger.say(encodeHandshake('slave-hello', encodeHello(strangerHello)))
  await pair.clock.advance(10)
  const { mac } = decodeHello(stranger.message().body)
  stranger.say(encodeHandshake('proof', encodeProof(mac === undefined ? {} : { mac })))
  await pair.clock.advance(10)
  expect(decodeAnswer(stranger.message().body).kind).toBe('refuse')
})

test('before the proof a stranger learns no ancestry and counts for nothing (rule 2.2)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const stranger = await Stranger.call(pair)
  stranger.say(encodeHandshake('slave-hello', encodeHello(strangerHello)))
  await pair.clock.advance(10)
  expect(decodeHello(stranger.message().body).hello.lineage).toBeUndefined()
  stranger.say(encodeReport(100))
  await pair.clock.advance(10)
  expect([stranger.isClosed, master.replicated.at, master.replicas()]).toEqual([true, 0, []])
})

const liars: readonly (readonly [string, readonly Buffer[]])[] = [
  ['beyond what was sent', [encodeReport(101)]],
  ['going back', [encodeReport(100), encodeReport(99)]],
  ['that is no position', [Buffer.from('7fffffffffffffff', 'hex')]],
  ['in a control frame too long', [Buffer.from('fffffffffff00000', 'hex')]],
  ['in a control frame of garbage', [Buffer.from('fffffffffffffffd01ffff', 'hex')]],
]
for (const [what, reports] of liars) {
  test(`a report ${what} closes the connection and counts nothing`, async () => {
    const pair = new Pair()
    pair.masterLog.write(pair.random.bytes(100))
    const master = await pair.listen()
    const stranger = await Stranger.call(pair)
    await handshake(pair, stranger)
    stranger.say(encodeReport(0))
    await pair.clock.advance(10)
    const honest = reports.length === 2 ? 100 : 0
    for (const report of reports) {
      stranger.say(report)
      await pair.clock.advance(10)
    }
    expect([stranger.isClosed, master.replicas(), master.replicated.at]).toEqual([true, [], honest])
    expect(complaints(pair.masterLogger).at(-1)).toMatch(/^violation: /)
  })
}

test('garbage on the port: random bytes, a valid start, silence, a byte a second', async () => {
  const pair = new Pair(5)
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const hello = encodeHandshake('slave-hello', encodeHello(strangerHello))
  const garbage: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(100_000, 0xff),
    Buffer.concat([hello.subarray(0, 40), pair.random.bytes(500)]),
    Buffer.concat([hello, hello]),
    Buffer.from('c701ffffffff0000', 'hex'),
    ...Array.from({ length: 200 }, () => pair.random.bytes(1 + pair.random.below(300))),
  ]
  const strangers: Stranger[] = []
  for (const bytes of garbage) {
    const stranger = await Stranger.call(pair)
    stranger.say(bytes)
    strangers.push(stranger)
  }
  const slow = await Stranger.call(pair)
  for (let at = 0; at < 5; at += 1) {
    slow.say(hello.subarray(at, at + 1))
    await pair.clock.advance(1_000)
  }
  await pair.clock.advance(100)
  expect(slow.isClosed).toBe(true)
  expect(strangers.filter((stranger) => !stranger.isClosed)).toEqual([])
  pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(100))
})

test('connections that say nothing are bounded, and a true slave still gets in', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const strangers: Stranger[] = []
  for (let count = 0; count < 200; count += 1) strangers.push(await Stranger.call(pair))
  await pair.clock.advance(20)
  expect(strangers.filter((stranger) => !stranger.isClosed).length).toBeLessThanOrEqual(64)
  pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(100), 1_000)
  for (let count = 0; count < 200; count += 1) await Stranger.call(pair)
  await pair.clock.advance(20)
  expect(pair.masterLogger.messages()).not.toContain('slave gone')
})

test('a slave that no longer moves inside a frame is dropped after 3 s', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const stranger = await Stranger.call(pair)
  await handshake(pair, stranger)
  stranger.say(encodeReport(0))
  const frame = encodeControlUp({ writable: true })
  for (let at = 0; at < 4; at += 1) {
    stranger.say(frame.subarray(at, at + 1))
    await pair.clock.advance(1_000)
  }
  expect([stranger.isClosed, master.replicas()]).toEqual([true, []])
})

test('doubled identity: the same process replaces its old connection', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const first = await Stranger.call(pair)
  await handshake(pair, first)
  const second = await Stranger.call(pair)
  await handshake(pair, second)
  expect(decodeAnswer(second.message().body).kind).toBe('accept')
  expect([first.isClosed, master.replicas().length]).toEqual([true, 1])
})

test('doubled identity: another process is refused while the first one answers, and counted once (rule 2.4)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen({ inSyncReplicas: 3 })
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  const other = pair.follow(pair.emptyLog(), { instanceId: 's-2' }, 'x')
  await pair.clock.advance(3_000)
  expect(other.state).toMatchObject({ trouble: { reason: 'identity-in-use' } })
  expect(master.replicas()).toMatchObject([{ instanceId: 's-1' }])
  expect(master.replicated.at).toBe(0)
})

test('doubled identity: another process takes over if the first one is silent for 1 s', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  pair.net.cut('m', 's')
  const other = pair.follow(pair.emptyLog(), { instanceId: 's-2' }, 'x')
  await pair.clock.runUntil(() => other.masterConnected, 1_500)
  expect(master.replicas()).toMatchObject([{ instanceId: 's-2' }])
})

test('doubled identity: the first one goes, the other need not wait', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  pair.net.cut('m', 's')
  const other = pair.follow(pair.emptyLog(), { instanceId: 's-2' }, 'x')
  await pair.clock.advance(20)
  expect(other.masterConnected).toBe(false)
  pair.net.reset('m', 's')
  await pair.clock.advance(20)
  expect(other.masterConnected).toBe(true)
})

test('a slave that was accepted and has reported nothing counts for nothing', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const stranger = await Stranger.call(pair)
  await handshake(pair, stranger)
  expect([master.replicas().length, master.knownReplicas()]).toEqual([1, 1])
  stranger.say(encodeReport(0))
  await pair.clock.advance(10)
  expect(master.knownReplicas()).toBe(2)
})

test('a slave that goes on before it was answered is hung up on at once', async () => {
  const pair = new Pair()
  await pair.listen()
  const hello = encodeHandshake('slave-hello', encodeHello(strangerHello))
  const stranger = await Stranger.call(pair)
  stranger.say(Buffer.concat([hello, hello]))
  await pair.clock.advance(20)
  expect(stranger.isClosed).toBe(true)
})

test('a roster that cannot be written: the slave is not counted until it can, on the same connection, and that is said once', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  let failures = 3
  const master = await pair.listen({
    onCounted: () => (failures-- > 0 ? Promise.reject(new Error('ENOSPC')) : Promise.resolve()),
  })
  const slave = pair.follow(pair.emptyLog())
  await pair.clock.advance(500)
  expect([slave.masterConnected, master.knownReplicas()]).toEqual([true, 1])
  await pair.clock.advance(5_000)
  expect(master.knownReplicas()).toBe(2)
  expect(master.replicated.at).toBe(100)
  expect(pair.masterLogger.messages('error')).toHaveLength(1)
})

const patient = { handshakeMs: 30_000, silenceMs: 30_000 }

test.each([
  [5_000, 0, 'masterLogger', 'slaveLogger'],
  [-5_000, 0, 'slaveLogger', 'masterLogger'],
  [5_000, 1_500, 'masterLogger', 'slaveLogger'],
] as const)(
  'whose clock is behind warns of one that is ahead (rule 5.9): the slave is at %i ms, words take %i ms',
  async (skewMs, delayMs, warns, doesNot) => {
    const pair = new Pair()
    pair.masterLog.write(pair.random.bytes(100))
    pair.slaveClock = new MachineClock(pair.clock, skewMs)
    pair.net.delay('m', 's', { min: delayMs, max: delayMs })
    const master = await pair.listen({ timings: patient })
    pair.follow(pair.emptyLog(), { timings: patient })
    await pair.clock.outcome(master.waitFor(100))
    const line = 'the clock of the other broker is ahead of ours'
    expect(pair[warns].messages('warn')).toContain(line)
    expect(pair[doesNot].messages('warn')).not.toContain(line)
  },
)

test('a word that comes late makes no clock differ (rule 5.9)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  pair.net.delay('m', 's', { min: 1_500, max: 1_500 })
  const master = await pair.listen({ timings: patient })
  pair.follow(pair.emptyLog(), { timings: patient })
  await pair.clock.outcome(master.waitFor(100))
  expect([...pair.masterLogger.messages('warn'), ...pair.slaveLogger.messages('warn')]).toEqual([])
})

test("a master's recorded words cannot be played again to a slave: its nonce is another (rule 2.2)", async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const recorded: Buffer[] = []
  pair.tap = {
    pass(direction, bytes) {
      if (direction === 'down') recorded.push(Buffer.from(bytes))
      return { pieces: [bytes] }
    },
  }
  const genuine = pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(100))
  genuine.close()
  await master.close()
  pair.tap = undefined

  await pair.net
    .host('m')
    .attach()
    .listen({ host: 'm', port: HA_PORT }, (connection) => {
      connection.start({ data() {}, drained() {}, closed() {} })
      connection.write(...recorded)
    })
  const log = pair.emptyLog()
  const slave = pair.follow(log, { instanceId: 's-2' })
  await pair.clock.advance(3_000)
  expect(slave.state).toMatchObject({ trouble: { reason: 'wrong-secret' } })
  expect([log.end, log.lineage, slave.following().connects]).toEqual([0, undefined, 0])
})
