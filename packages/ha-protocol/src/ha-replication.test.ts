import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { Pair, complaints } from './testing/pair.ts'

async function running(seed = 1, bytes = 1_000) {
  const pair = new Pair(seed)
  pair.masterLog.write(pair.random.bytes(bytes))
  const master = await pair.listen()
  const log = pair.emptyLog()
  const slave = pair.follow(log)
  await pair.clock.runUntil(() => master.replicated.at === bytes)
  return { pair, master, log, slave }
}

test('an empty slave copies everything, follows, and completes a waiting send', async () => {
  const { pair, master, log, slave } = await running(1, 200_000)
  expect(slave.masterConnected).toBe(true)
  expect(log.lineage).toEqual(pair.masterLog.lineage)
  pair.masterLog.write(pair.random.bytes(500))
  await pair.clock.outcome(master.waitFor(200_500))
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
  expect(master.knownReplicas()).toBe(2)
  expect(master.replicas()).toMatchObject([
    { identity: 'slave-1', counted: true, lagBytes: 0, received: 200_500 },
  ])
})

test('bytes are the same after any chunking, over many segments and both directions of time', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const pair = new Pair(seed, { lineage: lineageOf({ 1: 0 }), segmentBytes: 4096 })
    const random = new SeededRandom(seed)
    const master = await pair.listen({ writeLimits: { frameBytesMax: 1 + random.below(6000) } })
    const log = pair.emptyLog()
    pair.follow(log)
    for (let append = 0; append < 40; append += 1) {
      pair.masterLog.write(random.bytes(1 + random.below(3000)))
      await pair.clock.advance(random.below(4))
      if (random.chance(1, 10)) pair.net.reset('m', 's')
    }
    await pair.clock.outcome(master.waitFor(pair.masterLog.end))
    expect(log.bytes.equals(pair.masterLog.bytes), `seed ${seed}`).toBe(true)
    await master.close()
  }
})

test('with inSyncReplicas 1 nobody is waited for', async () => {
  const pair = new Pair()
  const master = await pair.listen({ inSyncReplicas: 1 })
  pair.masterLog.write(Buffer.from('alone'))
  await master.waitFor(5)
  expect(master.knownReplicas()).toBe(1)
})

test('two slaves at once: a quorum of three waits for the slower one', async () => {
  const pair = new Pair()
  const [two, three] = [
    await pair.listen(),
    await pair.listen({ inSyncReplicas: 3, address: { host: 'm', port: 1 } }),
  ]
  const logs = [pair.emptyLog(), pair.emptyLog(), pair.emptyLog(), pair.emptyLog()] as const
  pair.net.delay('m', 't', { min: 50, max: 50 })
  pair.follow(logs[0])
  pair.follow(logs[1], { identity: 'slave-2', instanceId: 's-2' }, 't')
  const other = { masterAddress: { host: 'm', port: 1 } }
  pair.follow(logs[2], other)
  pair.follow(logs[3], { ...other, identity: 'slave-2', instanceId: 's-2' }, 't')
  await pair.clock.runUntil(() => two.knownReplicas() === 3 && three.knownReplicas() === 3)
  const from = pair.clock.monotonic()
  pair.masterLog.write(pair.random.bytes(300))
  await pair.clock.outcome(two.waitFor(300))
  const quick = pair.clock.monotonic() - from
  await pair.clock.outcome(three.waitFor(300))
  expect(quick).toBeLessThan(10)
  expect(pair.clock.monotonic() - from).toBeGreaterThanOrEqual(100)
})

test('a report under SYNC_FLUSH is made of flushed bytes only', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen({ flushRequired: true })
  const log = pair.emptyLog()
  log.flushMs = 200
  // Whatever is appended while a flush runs is not covered by it.
  master.replicated.onAdvance((at) => expect(at).toBeLessThanOrEqual(log.flushed))
  pair.follow(log)
  await pair.clock.outcome(master.waitFor(100))
  expect(log.flushed).toBe(100)

  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.advance(50)
  pair.masterLog.write(pair.random.bytes(1))
  await pair.clock.advance(100)
  expect([log.end, log.flushed, master.replicated.at]).toEqual([201, 100, 100])
  await pair.clock.outcome(master.waitFor(201))
  expect(log.flushed).toBe(201)
})

test('without SYNC_FLUSH a slow disk of the slave delays nothing', async () => {
  const { pair, master, log } = await running()
  log.flushMs = 10_000
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.outcome(master.waitFor(1_100), 20)
})

test('a restarted slave goes on where it was', async () => {
  const { pair, master, log, slave } = await running(3, 150_000)
  slave.close()
  await pair.clock.runUntil(() => master.replicas().length === 0)
  pair.masterLog.write(pair.random.bytes(5_000))
  const before = pair.masterLog.readBytes
  pair.follow(log, { instanceId: 's-1b' })
  await pair.clock.outcome(master.waitFor(155_000))
  expect(pair.masterLog.readBytes - before).toBe(5_000)
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
})

test('a broken connection is taken up at once, a dead master with growing pauses up to 1 s', async () => {
  const { pair, master, log } = await running()
  await pair.clock.advance(2_000)
  pair.net.reset('m', 's')
  pair.masterLog.write(pair.random.bytes(10))
  const from = pair.clock.monotonic()
  await pair.clock.outcome(master.waitFor(1_010))
  expect(pair.clock.monotonic() - from).toBeLessThan(30)

  await master.close()
  await pair.clock.advance(120_000)
  const attempts = pair.slaveLogger.lines.filter((line) => line.facts['to'] === 'connecting').length
  expect(attempts).toBeGreaterThan(120)
  expect(attempts).toBeLessThan(120 / 0.5 + 10)
  const again = await pair.listen({ instanceId: 'm-2' })
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.outcome(again.waitFor(1_020), 6_000)
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
})

test('both sides drop a peer after 3 s of silence, and not before (rule 2.5)', async () => {
  const { pair, master, slave } = await running()
  await pair.clock.advance(60_000) // Heartbeats keep an idle pair together.
  expect(slave.masterConnected).toBe(true)
  pair.net.cut('m', 's')
  await pair.clock.advance(1_900)
  expect([slave.masterConnected, master.replicas().length]).toEqual([true, 1])
  await pair.clock.advance(1_200)
  expect([slave.masterConnected, master.replicas().length]).toEqual([false, 0])
  expect(master.knownReplicas()).toBe(1)
  pair.net.heal('m', 's')
  await pair.clock.runUntil(() => master.knownReplicas() === 2, 6_000)
})

test('a slave that does not read costs no memory, and is dropped', async () => {
  const { pair, master } = await running()
  pair.net.stall('m', 's')
  const before = pair.masterLog.readBytes
  for (let append = 0; append < 64; append += 1) {
    pair.masterLog.write(Buffer.alloc(1024 * 1024))
    await pair.clock.advance(20)
  }
  expect(pair.masterLog.readBytes - before).toBeLessThan(2 * 1024 * 1024)
  await pair.clock.advance(3_000)
  expect(master.replicas()).toEqual([])
})

test('a slave far behind is not known until it has nearly caught up (rule 2.8)', async () => {
  const pair = new Pair()
  pair.masterLog.write(Buffer.alloc(8 * 1024 * 1024))
  const master = await pair.listen({ haMaxGapNotInSync: 1024 * 1024 })
  pair.net.delay('m', 's', { min: 100, max: 100 })
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => (master.replicas()[0]?.received ?? 0) > 0)
  expect(master.knownReplicas()).toBe(1)
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  expect(master.replicas()[0]?.lagBytes).toBeLessThan(1024 * 1024)
})

test('a slave whose disk fails says so, closes, and comes back slowly', async () => {
  const { pair, master, log, slave } = await running()
  log.appendProblem = 'no space left on device'
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.runUntil(() => master.replicas().length === 0)
  expect(slave.state).toMatchObject({ trouble: { reason: 'disk', words: 'no space left on device' } })
  expect(master.replicated.at).toBe(1_000)
  log.appendProblem = undefined
  await pair.clock.outcome(master.waitFor(1_010), 6_000)
})

test('a slave whose disk stays full is told of in a few lines, however often it comes and goes', async () => {
  const { pair, master, log } = await running()
  log.appendProblem = 'no space left on device'
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.advance(3_600_000)
  expect(master.slaves()[0]?.connects).toBeGreaterThan(500)
  for (const { lines } of [pair.masterLogger, pair.slaveLogger]) {
    expect(lines.filter(({ level }) => level !== 'debug').length).toBeLessThan(100)
  }
  await master.close()
})

test('a failed flush is never reported past', async () => {
  const pair = new Pair()
  const master = await pair.listen({ flushRequired: true })
  const log = pair.emptyLog()
  pair.follow(log)
  await pair.clock.runUntil(() => master.knownReplicas() === 2)
  log.flushProblem = 'EIO'
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.advance(10_000)
  expect(master.replicated.at).toBe(0)
  expect(complaints(pair.slaveLogger)).toContain('disk: EIO')
})

test('the confirmed position comes down, and only grows', async () => {
  const { pair, master, slave } = await running()
  master.setConfirmed(700)
  await pair.clock.outcome(slave.confirmed.reached(700))
  master.setConfirmed(600)
  master.setConfirmed(1_000)
  await pair.clock.outcome(slave.confirmed.reached(1_000))
  pair.net.reset('m', 's')
  await pair.clock.runUntil(() => slave.masterConnected)
  expect(slave.confirmed.at).toBe(1_000)
})

test('flushed and dispatched positions reach the master (rule 2.3)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(500))
  const master = await pair.listen()
  const log = pair.emptyLog()
  pair.follow(log, { dispatched: () => 321 })
  await pair.clock.advance(50)
  await log.flush()
  await pair.clock.advance(2_000)
  expect(master.replicas()).toMatchObject([{ flushed: 500, dispatched: 321 }])
})

test('nobody is counted before the roster has it on disk (rule 3.3)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  const roster: string[] = []
  const written = Promise.withResolvers<void>()
  const onCounted = (identity: string): Promise<void> => {
    roster.push(identity)
    return written.promise
  }
  const master = await pair.listen({ onCounted })
  pair.follow(pair.emptyLog())
  await pair.clock.advance(2_000)
  expect([roster, master.replicated.at, master.knownReplicas()]).toEqual([['slave-1'], 0, 1])
  written.resolve()
  await pair.clock.outcome(master.waitFor(50))
})

test('a master that opens an epoch tells its slaves by a new handshake', async () => {
  const { pair, master, log } = await running()
  pair.masterLog.lineage = lineageOf({ 1: 0, 2: 1_000 })
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.outcome(master.waitFor(1_010))
  expect(log.lineage).toEqual(pair.masterLog.lineage)
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
})

test('a master that has lost its tail and written anew has its slave cut, after the epoch said so', async () => {
  const { pair, master, log, slave } = await running(1, 1_000)
  master.setConfirmed(1_000)
  const shown = slave.confirmed
  await pair.clock.outcome(shown.reached(1_000))
  await master.close()
  const shorter = new MemoryLog(pair.clock, { lineage: lineageOf({ 1: 0, 2: 800 }) })
  shorter.write(pair.masterLog.bytes.subarray(0, 800))
  const again = await pair.listen({ instanceId: 'm-2' }, shorter)
  await pair.clock.advance(10_000)
  expect(log.cuts).toEqual([]) // Rule 1.4: nothing was written in the new epoch yet.
  expect(slave.state).toMatchObject({ trouble: { reason: 'slave-ahead' } })

  shorter.write(pair.random.bytes(100))
  await pair.clock.outcome(again.waitFor(900))
  expect(log.cuts).toEqual([800])
  expect([slave.confirmed.at, shown.failure?.code]).toEqual([800, 'LOG_CLOSED'])
  expect(log.bytes.equals(shorter.bytes)).toBe(true)
})

test('differing bytes below the common point are left to the operator', async () => {
  const { pair, master, log, slave } = await running()
  await pair.clock.advance(1_000)
  log.damage(990)
  pair.net.reset('m', 's')
  await pair.clock.advance(30_000)
  expect(slave.state).toMatchObject({ trouble: { reason: 'bytes-differ' } })
  expect(master.replicas()).toEqual([])
  expect(complaints(pair.masterLogger).some((line) => line.startsWith('bytes-differ'))).toBe(true)
  const refusals = complaints(pair.masterLogger).filter((line) => line.startsWith('bytes-differ'))
  expect(refusals.length).toBeLessThan(15)
})

test('a slave too far behind starts over when a newer epoch orders it', async () => {
  const { pair, master, log, slave } = await running(1, 1_000)
  slave.close()
  pair.masterLog.write(pair.random.bytes(99_000))
  pair.masterLog.lineage = lineageOf({ 1: 0, 2: 90_000 })
  pair.masterLog.dropBelow(65_536)
  pair.follow(log, { instanceId: 's-1b' })
  await pair.clock.outcome(master.waitFor(100_000))
  expect([log.minOffset, log.bytes.equals(pair.masterLog.bytes)]).toEqual([65_536, true])
})

test('an idle pair sleeps: two timers, one wake-up a second each', async () => {
  const { pair } = await running()
  await pair.clock.advance(10_000)
  expect(pair.clock.pending).toBeLessThanOrEqual(2)
})

test('closing the master tells those who wait', async () => {
  const { pair, master } = await running()
  pair.net.cut('m', 's')
  const waiting = master.waitFor(1_000_000)
  await master.close()
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a master without a log hears from its slaves before it takes any (rule 1.6)', async () => {
  const pair = new Pair(1, {})
  const hellos: string[] = []
  const master = await pair.listen({
    onHello: (hello) => {
      hellos.push(`${hello.identity} ${hello.end}`)
      pair.masterLog.lineage = lineageOf({ 1: 0 })
    },
  })
  pair.masterLog.write(pair.random.bytes(10))
  pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(10), 300)
  expect(hellos).toEqual(['slave-1 0', 'slave-1 0'])
})

test('an epoch opened without an append reaches an idle slave with the next heartbeat', async () => {
  const { pair, log } = await running()
  await pair.clock.advance(2_000)
  pair.masterLog.lineage = lineageOf({ 1: 0, 2: 1_000 })
  await pair.clock.runUntil(() => log.lineage?.epochs.length === 2, 1_500)
})

test('a slave follows one master and refuses a second by name, even with the same log; the first may come back', async () => {
  const { pair, master, log, slave } = await running()
  await master.close()
  const second = await pair.listen({ identity: 'master-2' })
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.advance(10_000)
  expect(slave.state).toMatchObject({
    trouble: {
      reason: 'another-master',
      words: expect.stringContaining('follows master "master" and refuses "master-2" as a second one'),
    },
  })
  expect([log.end, second.replicas()]).toEqual([1_000, []])
  await second.close()
  await pair.listen()
  await pair.clock.runUntil(() => slave.masterConnected, 60_000)
  await pair.clock.runUntil(() => log.end === 1_100)
})

test('a slave that stops in good order lets no send wait in vain: it completes those under way, and counts no more', async () => {
  const { pair, master, log, slave } = await running(1, 10_000)
  pair.masterLog.write(pair.random.bytes(500_000))
  const waiting = master.waitFor(510_000)
  const left = slave.leave()
  await pair.clock.runUntil(() => master.knownReplicas() === 1)
  // Appended for nobody: it is not waited for.
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.outcome(waiting)
  await pair.clock.outcome(left)
  expect(log.end).toBeGreaterThanOrEqual(510_000)
  await pair.clock.runUntil(() => master.replicas().length === 0)
})

test('a slave that stops does not wait for a master that says nothing', async () => {
  const { pair, slave } = await running()
  pair.net.cut('m', 's')
  const since = pair.clock.monotonic()
  await pair.clock.outcome(slave.leave())
  expect(pair.clock.monotonic() - since).toBeLessThanOrEqual(1000)
})
