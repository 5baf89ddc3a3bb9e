import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenCluster } from './token-cluster.test-support.ts'

const names = ['master', 'slave-1', 'slave-2']
const act = fc.record({
  afterMs: fc.integer({ min: 0, max: 1500 }),
  what: fc.constantFrom(
    'join',
    'die',
    'freeze',
    'thaw',
    'cut',
    'seal',
    'stay',
    'release',
    'restart',
    'stand',
    'go',
    'change',
    'part',
    'meet',
  ),
  who: fc.constantFrom(...names),
  to: fc.constantFrom(...names),
})
const relayAct = fc.record({
  afterMs: fc.integer({ min: 0, max: 1500 }),
  what: fc.constantFrom(
    'relay',
    'relay dies',
    'relay freezes',
    'relay thaws',
    'relay cut off',
    'relay back',
    'cut off',
    'back',
  ),
  who: fc.constantFrom(...names),
  to: fc.constantFrom(...names),
})
const schedule = fc.record({
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  delayMaxMs: fc.constantFrom(1, 50, 600),
  acts: fc.array(act, { minLength: 5, maxLength: 25 }),
})

/** With relays that come, go, stand still and are cut off among everything else. */
const relayedSchedule = fc.record({
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  delayMaxMs: fc.constantFrom(1, 50, 600),
  acts: fc.array(fc.oneof({ weight: 3, arbitrary: act }, { weight: 1, arbitrary: relayAct }), {
    minLength: 5,
    maxLength: 30,
  }),
})

async function live(
  { seed, delayMaxMs, acts }: typeof relayedSchedule extends fc.Arbitrary<infer S> ? S : never,
  moveOnClose: boolean,
  watch: (cluster: TokenCluster) => void,
): Promise<TokenCluster> {
  const cluster = new TokenCluster({ moveOnClose }, delayMaxMs, seed)
  const pass = async (ms: number): Promise<void> => {
    const until = cluster.time.monotonic() + ms
    while (cluster.time.monotonic() < until) {
      await cluster.time.advance(Math.min(50, until - cluster.time.monotonic()))
      cluster.check()
      watch(cluster)
    }
  }
  for (const name of names) cluster.join(name, name === 'master' ? 'master' : 'slave', 0, names.length)
  for (const { afterMs, what, who, to } of acts) {
    await pass(afterMs)
    const member = cluster.members.get(who)
    if (what === 'join' && member?.isDead)
      cluster.join(who, who === 'master' ? 'master' : 'slave', 0, names.length)
    else if (what === 'die') member?.kill()
    else if (what === 'freeze') member?.clock.freeze()
    else if (what === 'thaw') member?.clock.thaw()
    else if (what === 'cut') member?.cut()
    else if (what === 'seal') member?.registration.seal()
    else if (what === 'stay') member?.registration.stay()
    else if (what === 'release') member?.registration.release(to)
    else if (what === 'restart') cluster.restartRegistry()
    else if (what === 'stand') cluster.registryClock.freeze()
    else if (what === 'go') cluster.registryClock.thaw()
    else if (what === 'change') member?.registration.changed()
    else if (what === 'part') cluster.isParted = true
    else if (what === 'meet') cluster.isParted = false
    else if (what === 'relay') cluster.relay('relay')
    else if (what === 'relay dies') cluster.relays.get('relay')?.kill()
    else if (what === 'relay freezes') cluster.relays.get('relay')?.clock.freeze()
    else if (what === 'relay thaws') cluster.relays.get('relay')?.clock.thaw()
    else if (what === 'relay cut off') cluster.relays.get('relay')?.cutOff()
    else if (what === 'relay back') for (const relay of cluster.relays.values()) relay.isCutOff = false
    else if (what === 'cut off') member?.cutOff()
    else if (what === 'back' && member) member.isCutOff = false
  }
  // Everything heals: somebody must serve again, and only one.
  cluster.registryClock.thaw()
  for (const member of cluster.members.values()) {
    member.isCutOff = false
    member.clock.thaw()
    member.registration.stay()
  }
  if (cluster.members.get('master')?.isDead) cluster.join('master', 'master', 0, names.length)
  await pass(12_000)
  return cluster
}

function expectOneToServe(cluster: TokenCluster): void {
  const serving = cluster.registry.view.set('broker-a')?.serving
  expect(cluster.serving()).toEqual([`${serving?.identity} #${serving?.epoch}`])
}

test('two never serve in one epoch, and in direct mode two never serve at one time (rule 4.1)', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (story) => {
      const cluster = await live(story, false, (now) => expect(now.serving().length).toBeLessThanOrEqual(1))
      expectOneToServe(cluster)
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('where calls are stamped, only one serves under the epoch that gateways know', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (story) => expectOneToServe(await live(story, true, () => {}))),
    { numRuns: 60 },
  )
}, 60_000)

test('no relay passes calls to an older holder that still answers, once a newer one does (rules 4.2, 4.8)', async () => {
  const answered = new Set<string>()
  await fc.assert(
    fc.asyncProperty(relayedSchedule, async (story) => {
      const withRelay = [{ afterMs: 0, what: 'relay' as const, who: 'master', to: 'master' }, ...story.acts]
      const cluster = await live({ ...story, acts: withRelay }, true, (now) => now.checkRelays())
      for (const right of cluster.answeredByRelay) answered.add(right)
      expectOneToServe(cluster)
    }),
    { numRuns: 60 },
  )
  expect([...answered].toSorted()).toEqual(['by lease', 'on promise'])
}, 60_000)
