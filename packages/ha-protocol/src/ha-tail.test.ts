import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import type { HaMasterOptions } from './ha-master.ts'
import type { Tail } from './tail.ts'
import { MemoryLog, lineageOf } from './testing/memory-log.ts'
import { Pair, complaints } from './testing/pair.ts'

const e1 = lineageOf({ 1: 0 })
const e12 = lineageOf({ 1: 0, 2: 3_000 })

/** A slave that holds 10,000 bytes of epoch 1, and a master that lacks those from `masterEnd` on. */
function afterPowerCut(masterEnd: number, seed = 1, masterLineage = e1) {
  const pair = new Pair(seed, { segmentBytes: 4096, ...(masterEnd > 0 ? { lineage: masterLineage } : {}) })
  const log = new MemoryLog(pair.clock, { segmentBytes: 4096, lineage: e1 })
  log.write(pair.random.bytes(10_000))
  pair.masterLog.write(Buffer.from(log.bytes.subarray(0, masterEnd)))
  return { pair, log }
}

/** What {@link HaMasterOptions.tail} says until the tail is here, and who brought it. */
function borrowing(holder = 'slave-1') {
  const seen: { tail: Tail; from: string | undefined } = {
    tail: { kind: 'missing', holder },
    from: undefined,
  }
  const options: Partial<HaMasterOptions> = {
    tail: () => seen.tail,
    onBorrowed: (from) => {
      seen.from = from
      seen.tail = { kind: 'complete' }
    },
  }
  return { seen, options }
}

test('a master that lost its tail fetches it from the slave, and the slave follows it again (rule 3.2)', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { pair, log } = afterPowerCut(1 + new SeededRandom(seed).below(9_999), seed)
    pair.net.delay('s', 'm', { min: 0, max: 5 })
    const { seen, options } = borrowing()
    const master = await pair.listen(options)
    const slave = pair.follow(log)
    await pair.clock.runUntil(() => seen.from !== undefined)
    expect(pair.masterLog.bytes.equals(log.bytes), `seed ${seed}`).toBe(true)
    expect(pair.masterLog.flushed, 'it is on disk before anybody relies on it').toBe(10_000)
    await pair.clock.runUntil(() => slave.masterConnected && master.replicated.at === 10_000)
    expect(log.cuts).toEqual([])
    await master.close()
  }
})

test('an empty disk gets everything, ancestry included', async () => {
  const { pair, log } = afterPowerCut(0)
  const { seen, options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  await pair.clock.runUntil(() => seen.from === 'slave-1')
  expect(pair.masterLog.bytes.equals(log.bytes)).toBe(true)
  expect(pair.masterLog.lineage).toEqual(e1)
})

test('an epoch of the master that got no bytes gives way to the older ones it fetches', async () => {
  const { pair, log } = afterPowerCut(3_000, 1, e12)
  const { seen, options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  await pair.clock.runUntil(() => seen.from !== undefined)
  expect(pair.masterLog.lineage).toEqual(e1)
  expect(pair.masterLog.end).toBe(10_000)
})

test('nobody is taken at his word: other bytes below the common point end it before one is appended', async () => {
  const { pair, log } = afterPowerCut(5_000)
  log.damage(4_990)
  const { options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  await pair.clock.runUntil(() => complaints(pair.masterLogger).length > 0)
  expect(complaints(pair.masterLogger)[0]).toContain('bytes-differ')
  expect(pair.masterLog.end).toBe(5_000)
})

test('a connection that breaks in the middle is taken up where the log ends then', async () => {
  const { pair, log } = afterPowerCut(100)
  pair.net.delay('s', 'm', { min: 20, max: 20 })
  const { seen, options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  await pair.clock.runUntil(() => pair.masterLog.end > 100)
  pair.net.reset('m', 's')
  await pair.clock.runUntil(() => seen.from !== undefined)
  expect(pair.masterLog.bytes.equals(log.bytes)).toBe(true)
})

test('a full disk of the master is no loss: it is told, and tried again', async () => {
  const { pair, log } = afterPowerCut(100)
  pair.masterLog.appendProblem = 'no space left on device'
  const { seen, options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  await pair.clock.runUntil(() =>
    complaints(pair.masterLogger).some((line) => line.includes('no space left')),
  )
  expect(seen.from).toBeUndefined()
  pair.masterLog.appendProblem = undefined
  await pair.clock.runUntil(() => seen.from !== undefined)
  expect(pair.masterLog.bytes.equals(log.bytes)).toBe(true)
})

test('until it is known who holds most, and while another lends, slaves are asked to come again', async () => {
  const { pair, log } = afterPowerCut(5_000)
  const { seen, options } = borrowing('slave-2')
  seen.tail = { kind: 'unknown' }
  await pair.listen(options)
  const slave = pair.follow(log)
  await pair.clock.advance(2_000)
  expect(slave.masterConnected).toBe(false)
  seen.tail = { kind: 'missing', holder: 'slave-2' }
  await pair.clock.advance(2_000)
  expect(pair.masterLog.end).toBe(5_000)
  expect(log.cuts).toEqual([])
})

test('a lender that falls silent is given up, and asked again', async () => {
  const { pair, log } = afterPowerCut(100)
  const { seen, options } = borrowing()
  await pair.listen(options)
  pair.follow(log)
  pair.net.delay('s', 'm', { min: 20, max: 20 })
  await pair.clock.runUntil(() => pair.masterLog.end > 100)
  pair.net.partition(['m'], ['s'])
  await pair.clock.runUntil(() => complaints(pair.masterLogger).some((line) => line.startsWith('silence')))
  pair.net.heal('m', 's')
  await pair.clock.runUntil(() => seen.from !== undefined)
  expect(pair.masterLog.bytes.equals(log.bytes)).toBe(true)
})
