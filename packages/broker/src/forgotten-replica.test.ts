import { expect, test } from 'vitest'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'
import { Client } from './testing/client.ts'

const SLAVES = ['slave-1', 'slave-2', 'slave-3']

/** A set whose members all know of each other. */
async function acquainted(): Promise<BrokerSet> {
  const set = new BrokerSet(ASYNC, { slaves: SLAVES.length })
  for (const name of ['master', ...SLAVES]) await set.start(name)
  await set.untilServing('master')
  await new Client(set).sendAll(3)
  for (const name of SLAVES) await untilRostered(set, name, ['master', ...SLAVES])
  return set
}

/** Until `name` remembers exactly these, itself left out. */
async function untilRostered(set: BrokerSet, name: string, names: readonly string[]): Promise<void> {
  const others = names.filter((other) => other !== name).toSorted()
  await set.time.runUntil(
    () => set.isUp(name) && set.broker(name).store.roster.toSorted().join() === others.join(),
    60_000,
  )
}

async function forget(set: BrokerSet, master: string, name: string): Promise<void> {
  const { role } = set.broker(master)
  if (role.kind !== 'master') throw new Error(`${master} is a master`)
  await set.time.runUntil(() =>
    role.slaves().some(({ identity, state }) => identity === name && state === 'away'),
  )
  await set.time.outcome(role.forget(name))
}

test('rule 3.3: a slave that was away hears when it comes back whom the operator has forgotten, and remembers it over its start', async () => {
  const set = await acquainted()
  set.kill('slave-2')
  set.kill('slave-3')
  await forget(set, 'master', 'slave-3')
  await untilRostered(set, 'slave-1', ['master', 'slave-1', 'slave-2'])

  // Nor does the master forget that it has forgotten.
  await set.stop('master')
  await set.start('master')
  const { store } = await set.start('slave-2')
  expect(store.roster).toContain('slave-3')
  await untilRostered(set, 'slave-2', ['master', 'slave-1', 'slave-2'])
  await set.stop('slave-2')
  await set.start('slave-2')
  expect(set.broker('slave-2').store).toMatchObject({ forgotten: ['slave-3'] })
})

test('rule 3.3: a slave that has heard it tells it on as master, until the forgotten one is counted again', async () => {
  const set = await acquainted()
  set.kill('slave-2')
  set.kill('slave-3')
  await forget(set, 'master', 'slave-3')
  await untilRostered(set, 'slave-1', ['master', 'slave-1', 'slave-2'])
  await set.time.outcome(
    set.registry.promote({ set: 'broker-a', to: 'slave-1', oldMasterIsOff: false, acceptLoss: false }),
  )
  await set.start('slave-2')
  await untilRostered(set, 'slave-2', ['master', 'slave-1', 'slave-2'])

  await set.start('slave-3')
  for (const name of ['master', ...SLAVES]) await untilRostered(set, name, ['master', ...SLAVES])
  for (const name of ['master', ...SLAVES]) expect(set.broker(name).store.forgotten).toEqual([])
})
