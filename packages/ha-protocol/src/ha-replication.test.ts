import { expect, test } from 'vitest'
import { Pair } from './testing/pair.ts'

test('an empty slave copies everything, follows, and completes a waiting send', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(200_000))
  const master = await pair.listen()
  const log = pair.emptyLog()
  const slave = pair.follow(log)
  await pair.clock.runUntil(() => master.replicated.at === 200_000)
  expect(slave.masterConnected).toBe(true)
  expect(log.lineage).toEqual(pair.masterLog.lineage)

  pair.masterLog.write(pair.random.bytes(500))
  await pair.clock.outcome(master.waitFor(200_500))
  expect(log.bytes.equals(pair.masterLog.bytes)).toBe(true)
  expect(master.knownReplicas()).toBe(2)
  await master.close()
})
