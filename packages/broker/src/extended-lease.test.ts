import { expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { bodiesOf, Client } from './testing/client.ts'

const NAMES = ['master', 'slave']

async function pair() {
  const set = new BrokerSet(ASYNC)
  await set.start('master')
  await set.start('slave')
  await set.untilServing('master')
  await set.time.runUntil(() => set.broker('master').store.roster.includes('slave'))
  return { set, client: new Client(set) }
}

function serving(set: BrokerSet): string[] {
  return NAMES.filter((name) => set.isUp(name) && set.broker(name).servingEpoch !== undefined)
}

test.each(['cut', 'silence'] as const)(
  'rule 4.6: the registry is away (%s), master and slave hear each other: consumers go on',
  async (how) => {
    const { set, client } = await pair()
    const epoch = set.broker('master').servingEpoch
    for (const name of NAMES) set.wire(name)[how]()
    for (let second = 0; second < 30; second += 1) {
      await set.time.advance(1_000)
      expect(set.broker('master').servingEpoch, `after ${second} s`).toBe(epoch)
    }
    const sent = await client.sendAll(3)
    expect(bodiesOf(await client.receiveAll('master'))).toEqual(sent)
    for (const name of NAMES) set.wire(name).heal()
    for (let step = 0; step < 200; step += 1) {
      await set.time.advance(50)
      expect(serving(set)).toEqual(['master'])
    }
  },
)

test('rule 4.6: the slave cannot be asked: serving ends with the lease', async () => {
  const { set } = await pair()
  for (const name of NAMES) set.wire(name).silence()
  await set.time.advance(10_000)
  set.net.cut('master', 'slave')
  await set.time.advance(2_000)
  expect(serving(set)).toEqual([])
})

test('rule 4.6: the slave still hears the registry: it promises nothing and serves once the lease is over', async () => {
  const { set } = await pair()
  set.wire('master').silence()
  let both = 0
  for (let step = 0; step < 120; step += 1) {
    await set.time.advance(50)
    if (serving(set).length > 1) both += 1
  }
  expect(both).toBe(0)
  expect(serving(set)).toEqual(['slave'])
})

test('rule 4.6: a slave that has promised waits in its next process too, and only then', async () => {
  const { set } = await pair()
  const kept = () => set.machine('slave').files.exists('/store/token-promise')
  for (const name of NAMES) set.wire(name).silence()
  await set.time.advance(5_000)
  expect(kept()).toBe(true)
  set.kill('slave')
  set.kill('master')
  await set.start('slave')
  expect(await set.untilServing('slave')).toBeGreaterThanOrEqual(1_900)
  await set.time.advance(1_000)
  expect(kept()).toBe(false)
})
