import { expect, test } from 'vitest'
import { RangeVerification, VERIFIED_BYTES_MAX } from './range-verification.ts'
import { Pair } from './testing/pair.ts'

const BYTES = 1_000_000
const PACE = { bytesPerSecond: 1024 * 1024 }

async function running(seed = 1) {
  const pair = new Pair(seed)
  pair.masterLog.write(pair.random.bytes(BYTES))
  const master = await pair.listen({ verifierLimits: PACE })
  const log = pair.emptyLog()
  const slave = pair.follow(log)
  await pair.clock.runUntil(() => master.replicated.at === BYTES)
  master.setConfirmed(BYTES)
  return { pair, master, log, slave }
}

test('a flipped byte of the slave is found in the background, and named by both sides', async () => {
  const { pair, master, log, slave } = await running()
  log.bytes.writeUInt8(log.bytes.readUInt8(700_001) ^ 1, 700_001)
  await pair.clock.runUntil(() => master.slaves()[0]?.verification.verifiedTo === BYTES, 60_000)
  const [range, ...others] = master.slaves()[0]?.verification.mismatches ?? []
  expect(others).toEqual([])
  expect(range?.from).toBeLessThanOrEqual(700_001)
  expect(range?.to).toBeGreaterThan(700_001)
  expect((range?.to ?? 0) - (range?.from ?? 0)).toBeLessThanOrEqual(64)
  expect(slave.following().mismatches).toEqual([range])
  const named = (lines: typeof pair.masterLogger.lines) =>
    lines.filter(({ facts }) => facts['from'] === range?.from && facts['to'] === range?.to)
  expect(named(pair.masterLogger.lines)).toHaveLength(1)
  expect(named(pair.slaveLogger.lines)).toHaveLength(1)
  // Replication itself goes on.
  pair.masterLog.write(pair.random.bytes(10))
  await pair.clock.outcome(master.waitFor(BYTES + 10))
  await master.close()
})

test('the background keeps its pace, reads only what is confirmed, and goes on where it was after a reconnect', async () => {
  const { pair, master, log } = await running()
  pair.masterLog.write(pair.random.bytes(300_000))
  await pair.clock.outcome(master.waitFor(1_300_000))
  await pair.clock.advance(400)
  const compared = () => master.slaves()[0]?.verification.comparedBytes ?? 0
  expect(compared()).toBeGreaterThan(0)
  expect(compared()).toBeLessThanOrEqual(2 * VERIFIED_BYTES_MAX)
  pair.net.reset('m', 's')
  await pair.clock.runUntil(() => compared() >= BYTES, 60_000)
  await pair.clock.advance(60_000)
  // What lies above the confirmed position was not touched, nothing twice.
  expect(compared()).toBe(BYTES)
  expect(master.slaves()[0]?.verification).toMatchObject({ mismatches: [], found: 0, skippedBytes: 0 })
  master.setConfirmed(1_300_000)
  await pair.clock.runUntil(() => compared() === 1_300_000, 60_000)
  expect(log.end).toBe(1_300_000)
  await master.close()
})

test('a range asked for is compared at once, again, and what was repaired is forgotten', async () => {
  const { pair, master, log } = await running()
  const flip = (at: number): void => void log.bytes.writeUInt8(log.bytes.readUInt8(at) ^ 0x80, at)
  const verified = async (from?: number, to?: number) => {
    const range = master.verify(from, to)
    await pair.clock.runUntil(() => master.slaves()[0]?.verification.run?.isDone === true, 500)
    return { range, ...master.slaves()[0]?.verification }
  }
  for (const at of [10, 11, 500_000, 999_999]) flip(at)
  expect((await verified(400_000, 600_000)).mismatches).toMatchObject([{ from: expect.any(Number) }])
  const all = await verified()
  expect(all.range).toEqual({ from: 0, to: BYTES })
  expect(all.mismatches).toHaveLength(3)
  for (const at of [10, 11, 500_000]) flip(at)
  expect((await verified()).mismatches).toHaveLength(1)
  flip(999_999)
  expect((await verified()).mismatches).toEqual([])
  await master.close()
})

test('what was repaired while the slave was away is looked at when it is back, and what still differs is not told again', async () => {
  const { pair, master, log, slave } = await running()
  const flip = (at: number): void => void log.bytes.writeUInt8(log.bytes.readUInt8(at) ^ 1, at)
  const seen = () => master.slaves()[0]?.verification
  for (const at of [10, 700_001]) flip(at)
  await pair.clock.runUntil(() => seen()?.verifiedTo === BYTES, 60_000)
  expect(seen()).toMatchObject({ found: 2 })
  slave.close()
  flip(10)
  pair.follow(log, { instanceId: 's-2' })
  await pair.clock.runUntil(() => seen()?.mismatches.length === 1, 5_000)
  await pair.clock.advance(1_000)
  expect(seen()).toMatchObject({ found: 2, verifiedTo: BYTES })
  expect(seen()?.mismatches[0]?.to).toBeGreaterThan(700_001)
  await master.close()
})

test('a slave shows no difference any more once its master was repaired and compares as equal', async () => {
  const { pair, master, log, slave } = await running()
  const flip = (at: number): void => void log.bytes.writeUInt8(log.bytes.readUInt8(at) ^ 1, at)
  const shown = () => slave.following().mismatches
  for (const at of [10, 500_000, 700_001]) flip(at)
  await pair.clock.runUntil(() => shown().length === 3, 60_000)
  const [first, , third] = shown()
  await master.close()
  // Whichever of the two was wrong, they are the same now; the new master knows nothing of it.
  for (const at of [10, 500_000]) flip(at)
  const again = await pair.listen({ verifierLimits: PACE, instanceId: 'm-2' })
  await pair.clock.runUntil(() => again.replicated.at === BYTES)
  expect(shown(), 'nothing was compared yet').toHaveLength(3)

  again.setConfirmed(BYTES)
  await pair.clock.runUntil(() => shown().length === 2, 60_000)
  expect(shown().map(({ from }) => from)).not.toContain(first?.from)
  await pair.clock.runUntil(() => again.slaves()[0]?.verification.verifiedTo === BYTES, 60_000)
  expect(shown()).toEqual([third])
  expect(pair.slaveLogger.messages('info').filter((words) => words.includes('the same'))).toHaveLength(2)
  await again.close()
})

test('what a slave no longer has does not differ for ever', async () => {
  const { pair, master, log, slave } = await running()
  log.bytes.writeUInt8(log.bytes.readUInt8(10) ^ 1, 10)
  master.verify(0, 1_000)
  await pair.clock.runUntil(() => slave.following().mismatches.length === 1, 500)
  log.dropBelow(2 * log.segmentBytes)
  master.verify(600_000, 700_000)
  await pair.clock.runUntil(() => slave.following().mismatches.length === 0, 500)
  await master.close()
})

test('the background begins again in time although the slave reconnects more often', async () => {
  const pair = new Pair(1)
  pair.masterLog.write(pair.random.bytes(BYTES))
  const againMs = 60_000
  const master = await pair.listen({ verifierLimits: { bytesPerSecond: 100 * BYTES, againMs } })
  pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => master.replicated.at === BYTES)
  master.setConfirmed(BYTES)
  const compared = () => master.slaves()[0]?.verification.comparedBytes ?? 0
  for (let minute = 0; minute < 3; minute += 1) {
    await pair.clock.advance(againMs / 2)
    pair.net.reset('m', 's')
    await pair.clock.advance(againMs / 2)
  }
  expect(compared()).toBeGreaterThanOrEqual(2 * BYTES)
  await master.close()
})

test('a mismatch below the begin of the log is no longer one', () => {
  const verification = new RangeVerification()
  verification.begin({ from: 0, to: 32 })
  verification.next({ min: 0, max: 32 })
  expect(verification.answered(false)).toHaveLength(1)
  verification.next({ min: 16, max: 32 })
  expect(verification.view.mismatches).toHaveLength(1)
  verification.next({ min: 32, max: 32 })
  expect(verification.view.mismatches).toEqual([])
})

test('what one side no longer has is skipped, and what is asked for beyond the end is left out', async () => {
  const verification = new RangeVerification()
  verification.begin({ from: 0, to: 1_000 })
  expect(verification.next({ min: 400, max: 800 })).toEqual({ from: 400, to: 800 })
  expect(verification.answered(undefined)).toEqual([])
  expect(verification.next({ min: 400, max: 800 })).toBeUndefined()
  expect(verification.next({ min: 400, max: 2_000 })).toEqual({ from: 800, to: 1_000 })
  verification.abandoned()
  expect(verification.next({ min: 400, max: 2_000 })).toEqual({ from: 800, to: 1_000 })
  verification.answered(true)
  expect(verification.view).toMatchObject({ skippedBytes: 400, comparedBytes: 200, run: { isDone: true } })
})

test.each(['the slave', 'the master'])(
  'what %s cannot read is counted, and is no difference',
  async (whose) => {
    const { pair, master, log } = await running()
    const unreadable = whose === 'the slave' ? log : pair.masterLog
    unreadable.checksumProblem = 'EIO'
    master.verify()
    await pair.clock.runUntil(() => master.slaves()[0]?.verification.run?.isDone === true, 5_000)
    expect(master.slaves()[0]?.verification.skippedBytes).toBeGreaterThanOrEqual(BYTES)
    expect(master.slaves()[0]).toMatchObject({ state: 'in sync', verification: { mismatches: [] } })
    await master.close()
  },
)
