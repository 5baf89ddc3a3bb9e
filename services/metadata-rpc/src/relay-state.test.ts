import { silentLogger, silentMeter } from '@tandemmq/base'
import { RegistryRelay, type RelayAnswer, type SetServing } from '@tandemmq/registry'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { asRelay } from './cluster-registry.ts'
import { ClusterState } from './cluster-state.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { SetCopies } from './set-copies.ts'

const GRANTOR = 'metadata-rpc:8081'
const healthy: SetServing = {
  cluster: 'DefaultCluster',
  set: 'broker-a',
  members: [],
  serving: { epoch: 1, identity: 'broker-a-0', grpcAddress: 'broker-master:8081', suspect: false },
  writable: {
    identity: 'broker-a-0',
    grpcAddress: 'broker-master:8081',
    logEpoch: 1,
    diskFull: false,
  },
}

function away(): Promise<never> {
  return Promise.reject(new Error('not here'))
}

/** A relay whose grantor says what `say` is given, until it never answers again. */
async function relayed() {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const listeners: ((answer: RelayAnswer) => void)[] = []
  const relay = RegistryRelay.start(
    { cluster: 'DefaultCluster', identity: 'relay' },
    { clock, random, logger: silentLogger },
    {
      follow: (_hello, onAnswer) => {
        listeners.push(onAnswer)
        return { send: () => {}, close: () => {} }
      },
    },
  )
  const registry = asRelay(relay, GRANTOR)
  const files = new SimulatedFiles({ clock, random }).mount()
  const copies = await clock.outcome(
    SetCopies.open('/meta', registry.view, {
      files,
      clock,
      random,
      logger: silentLogger,
      meter: silentMeter,
      metadataSource: () => ({ pull: away, watch: away, handBack: away }),
    }),
  )
  const administration = { putTopic: () => Promise.resolve(), putGroup: () => Promise.resolve() }
  const topics = new ClusterTopics(copies, registry.view, administration, { create: true, queues: 1 }, clock)
  const state = new ClusterState(registry, copies, topics, [])
  const say = (...sets: readonly SetServing[]): void => {
    const reports = sets.map((serving) => ({ serving, members: [] }))
    for (const listener of listeners) listener({ revision: 1, sequence: 0, sets: reports })
  }
  return { clock, state, say }
}

test('a relay is not ready before it has heard its grantor; once it has, it stays ready without it, and says so', async () => {
  const { clock, state, say } = await relayed()
  const notHeard = expect.objectContaining({
    check: 'registered',
    message: expect.stringContaining(`the grantor at ${GRANTOR} is not heard`),
  })
  expect(state.readiness()).toEqual({ ready: false, problems: [notHeard] })
  say(healthy)
  expect(state.readiness()).toEqual({ ready: true, problems: [] })
  await clock.advance(10_000)
  expect(state.readiness()).toEqual({ ready: true, problems: [notHeard] })
})

test('a relay that knows of a set without a master is as little ready as its grantor', async () => {
  const { state, say } = await relayed()
  const { writable: _, ...readable } = healthy
  say(readable)
  expect(state.readiness()).toMatchObject({ ready: false, problems: [{ check: 'writable' }] })
})

test('a promotion is refused with the name of who can make it', async () => {
  const { state } = await relayed()
  await expect(
    state.promote({ set: 'broker-a', oldMasterIsOff: false, acceptLoss: false }),
  ).rejects.toMatchObject({
    code: 'PROMOTION_REFUSED',
    message: `this metadata-rpc is a relay and appoints nobody: ask the grantor at ${GRANTOR}`,
  })
})
