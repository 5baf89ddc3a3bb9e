import { expect, test } from 'vitest'
import { Pair } from './testing/pair.ts'

test('maxHaTransferByteInSecond: an empty slave gets so much a second, everything in the end, and is never taken for gone', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(1_000_000))
  const master = await pair.listen({ writeLimits: { bytesPerSecond: 100_000 } })
  const log = pair.emptyLog()
  const slave = pair.follow(log)
  await pair.clock.runUntil(() => slave.masterConnected)
  for (let second = 1; second <= 8; second += 1) {
    await pair.clock.advance(1_000)
    expect(log.end).toBeLessThanOrEqual(second * 100_000 + 20_000)
    expect(log.end).toBeGreaterThanOrEqual(second * 100_000 - 20_000)
  }
  await pair.clock.outcome(master.waitFor(1_000_000))
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
  expect(master.slaves()).toMatchObject([{ connects: 1 }])
  await master.close()
})

test('a slave with a failed disk says so: the master counts on it no more within milliseconds, not after a time-out', async () => {
  const pair = new Pair()
  const master = await pair.listen()
  const log = pair.emptyLog()
  pair.follow(log)
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.outcome(master.waitFor(100))
  expect(master.knownReplicas()).toBe(2)
  log.appendProblem = 'no space left on device'
  const began = pair.clock.monotonic()
  pair.masterLog.write(pair.random.bytes(100))
  await pair.clock.runUntil(() => master.knownReplicas() === 1)
  expect(pair.clock.monotonic() - began).toBeLessThan(10)
  expect(master.slaves()[0]?.problem).toContain('no space left')
  await master.close()
})

test('a stalled slave costs an asynchronous master no memory, and its log is not read for it', async () => {
  const pair = new Pair()
  const master = await pair.listen({ inSyncReplicas: 1 })
  const slave = pair.follow(pair.emptyLog())
  await pair.clock.runUntil(() => slave.masterConnected)
  pair.net.stall('m', 's')
  for (let append = 0; append < 200; append += 1) {
    pair.masterLog.write(pair.random.bytes(64 * 1024))
    // Nobody is waited for.
    await master.waitFor(pair.masterLog.end)
    await pair.clock.advance(5)
  }
  expect(pair.masterLog.readBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
  await master.close()
})
