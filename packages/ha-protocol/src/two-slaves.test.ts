import { expect, test } from 'vitest'
import { Pair } from './testing/pair.ts'

/** A master with two slaves that have all of its log, on hosts `s` and `t`. */
async function trio(inSyncReplicas: number, least?: { readonly leastInSyncReplicas: number }) {
  const pair = new Pair()
  const told: number[] = []
  const onRequired = (required: number): void => void told.push(required)
  const master = await pair.listen({ inSyncReplicas, ...least, onRequired })
  const logs = { s: pair.emptyLog(), t: pair.emptyLog() }
  const one = pair.follow(logs.s)
  const other = pair.follow(logs.t, { identity: 'slave-2', instanceId: 's-2' }, 't')
  await pair.clock.runUntil(() => master.knownReplicas() === 3)
  const write = (): number => {
    pair.masterLog.write(pair.random.bytes(300))
    return pair.masterLog.end
  }
  const isHeld = async (end: number, withinMs: number): Promise<boolean> => {
    await pair.clock.advance(withinMs)
    return master.replicated.at >= end
  }
  await pair.clock.outcome(master.waitFor(write()))
  return { pair, master, logs, told, slaves: [one, other] as const, write, isHeld }
}

test('of three, two must hold a message: either slave will do, stalled or lost the other; alone the master waits', async () => {
  for (const [first, second] of [
    ['s', 't'],
    ['t', 's'],
  ] as const) {
    const { pair, master, write, isHeld } = await trio(2)
    pair.net.host(first).freeze()
    expect(await isHeld(write(), 20)).toBe(true)
    await pair.clock.advance(4_000)
    expect([master.knownReplicas(), await isHeld(write(), 20)]).toEqual([2, true])
    pair.net.host(second).kill()
    expect(await isHeld(write(), 5_000)).toBe(false)
    expect(master.knownReplicas()).toBe(1)
    pair.net.host(first).thaw()
    await pair.clock.outcome(master.waitFor(pair.masterLog.end), 10_000)
    await master.close()
  }
})

test('of three, all must hold a message: one that is stalled is waited for, one that is lost for ever', async () => {
  const { pair, master, write, isHeld } = await trio(3)
  pair.net.host('t').freeze()
  const stalled = write()
  expect(await isHeld(stalled, 1_000)).toBe(false)
  pair.net.host('t').thaw()
  expect(await isHeld(stalled, 20)).toBe(true)
  pair.net.host('t').kill()
  expect(await isHeld(write(), 60_000)).toBe(false)
  await master.close()
})

test('where it may do with less, a lost slave is no longer waited for, and is again once it has come back and copied', async () => {
  const { pair, master, told, slaves, write, isHeld } = await trio(3, { leastInSyncReplicas: 1 })
  expect([master.requiredReplicas, told]).toEqual([3, [1, 2, 3]])
  slaves[1].close()
  expect(await isHeld(write(), 20)).toBe(true)
  expect([master.requiredReplicas, told.at(-1)]).toEqual([2, 2])
  pair.net.host('s').kill()
  expect(await isHeld(write(), 20)).toBe(true)
  expect([master.requiredReplicas, told.at(-1)]).toEqual([1, 1])

  const log = pair.emptyLog()
  pair.follow(log, { identity: 'slave-2', instanceId: 's-2b' }, 't')
  await pair.clock.runUntil(() => master.requiredReplicas === 2 && log.end === pair.masterLog.end)
  pair.net.host('t').freeze()
  expect(await isHeld(write(), 20)).toBe(false)
  const before = told.length
  await master.close()
  await pair.clock.advance(5_000)
  expect(told.length).toBe(before)
})

test('a slave that is silent is waited for as long as it counts as known; with fewer than the least nothing goes on', async () => {
  const { pair, master, write, isHeld } = await trio(3, { leastInSyncReplicas: 2 })
  pair.net.host('t').freeze()
  const end = write()
  expect(await isHeld(end, 1_500)).toBe(false)
  expect(await isHeld(end, 2_000)).toBe(true)
  pair.net.host('s').kill()
  expect(await isHeld(write(), 5_000)).toBe(false)
  expect(master.requiredReplicas).toBe(2)
  await master.close()
})

test('a slave whose disk has failed is no longer waited for, at once', async () => {
  const { pair, master, logs, write, isHeld } = await trio(3, { leastInSyncReplicas: 2 })
  logs.t.appendProblem = 'no space left on device'
  expect(await isHeld(write(), 20)).toBe(true)
  expect(master.requiredReplicas).toBe(2)
  await master.close()
  await pair.clock.settle()
})

test('without that permission nothing is ever done with less', async () => {
  const { pair, master, told, write, isHeld } = await trio(2)
  pair.net.host('s').kill()
  pair.net.host('t').kill()
  expect(await isHeld(write(), 30_000)).toBe(false)
  expect([master.requiredReplicas, told]).toEqual([2, []])
  await master.close()
})
