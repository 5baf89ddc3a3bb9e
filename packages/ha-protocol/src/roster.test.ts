import { expect, test } from 'vitest'
import { complaints, Pair } from './testing/pair.ts'

test('an identity that was forgotten is shown no more, and is in the roster again before it counts again (rule 3.3)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  const roster: string[] = []
  const written = [Promise.resolve(), new Promise<void>(() => undefined)]
  const onCounted = (identity: string): Promise<void> => {
    roster.push(identity)
    return written.shift() ?? Promise.resolve()
  }
  const master = await pair.listen({ onCounted })
  const slave = pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(50))
  expect(() => master.forget('slave-1')).toThrow('slave-1 is connected from s:')
  slave.close()
  await pair.clock.runUntil(() => master.replicas().length === 0)
  master.forget('slave-1')
  expect(master.slaves()).toEqual([])
  pair.follow(pair.emptyLog(), { instanceId: 's-1b' })
  await pair.clock.advance(2_000)
  expect([roster, master.knownReplicas(), master.slaves().length]).toEqual([['slave-1', 'slave-1'], 1, 1])
})

test('a slave is told who else has its log: the master, and whoever is counted, when it is (rule 3.3)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  const roster = ['an-old-one']
  const options = {
    roster: () => roster,
    onCounted: async (identity: string) => void roster.push(identity),
  }
  await pair.listen(options)
  const told: (readonly string[])[] = []
  pair.follow(pair.emptyLog(), { learnRoster: (names) => told.push(names) })
  await pair.clock.advance(500)
  expect(told.at(-1)).toEqual(['master', 'an-old-one'])
  pair.follow(pair.emptyLog(), { identity: 'slave-2' }, 's2')
  await pair.clock.advance(500)
  expect(told.at(-1)).toEqual(['master', 'an-old-one', 'slave-2'])
})

test('a slave is told which replicas the operator has forgotten, when it comes and at once (rule 3.3)', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  // Nobody is told to forget itself, or the master that it follows.
  const forgotten = ['an-old-one', 'slave-1', 'master']
  const master = await pair.listen({ forgotten: () => forgotten })
  const told: (readonly string[])[] = []
  pair.follow(pair.emptyLog(), { learnForgotten: (names) => told.push(names) })
  await pair.clock.outcome(master.waitFor(50))
  expect(told.at(-1)).toEqual(['an-old-one'])
  forgotten.push('another-one')
  master.rosterChanged()
  await pair.clock.advance(500)
  expect(told.at(-1)).toEqual(['an-old-one', 'another-one'])
})

test('a slave that reads nothing hears of what was forgotten meanwhile when it reads again', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  const forgotten: string[] = []
  const master = await pair.listen({ forgotten: () => forgotten, writeLimits: { queuedBytesMax: 0 } })
  const told: (readonly string[])[] = []
  pair.follow(pair.emptyLog(), { learnForgotten: (names) => told.push(names) })
  await pair.clock.outcome(master.waitFor(50))
  forgotten.push('an-old-one')
  master.rosterChanged()
  await pair.clock.advance(500)
  expect(told.at(-1)).toEqual(['an-old-one'])
})

test('no more names are counted than a roster takes; who is in it comes back', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(50))
  const roster = Array.from({ length: 256 }, (_, n) => `slave-${n}`)
  const master = await pair.listen({ roster: () => roster })
  pair.follow(pair.emptyLog(), { identity: 'one-more' }, 'other')
  pair.follow(pair.emptyLog())
  await pair.clock.outcome(master.waitFor(50))
  await pair.clock.advance(1_000)
  expect(master.replicas().map(({ identity }) => identity)).toEqual(['slave-1'])
  expect(complaints(pair.masterLogger)).toContainEqual(expect.stringContaining('`tandemmq replica forget`'))
  await master.close()
})
