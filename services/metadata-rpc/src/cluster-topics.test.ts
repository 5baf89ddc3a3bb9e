import { silentLogger, silentMeter } from '@tandemmq/base'
import { Registry, type MemberHello, type MemberStatus } from '@tandemmq/registry'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { ClusterTopics } from './cluster-topics.ts'
import { SetCopies } from './set-copies.ts'

const hello: MemberHello = {
  cluster: 'DefaultCluster',
  set: 'broker-a',
  identity: 'broker-a-0',
  instanceId: 'i',
  role: 'master',
  grpcAddress: '127.0.0.1:1',
  haAddress: '127.0.0.1:2',
  logId: 'a'.repeat(32),
  lastEpoch: 1,
  end: 0,
  inSyncReplicas: 1,
  totalReplicas: 1,
  seenServingEpoch: 0,
}
const status: Omit<MemberStatus, 'sequence'> = {
  end: 0,
  flushed: 0,
  confirmed: 0,
  dispatched: 0,
  lastEpoch: 1,
  logId: hello.logId,
  writable: true,
  diskFull: false,
  details: { replicas: [], okMeans: '', problems: [] },
}

function away(): Promise<never> {
  return Promise.reject(new Error('not here'))
}

async function clusterWithoutBrokers() {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const registry = new Registry({ cluster: 'DefaultCluster' }, { clock, logger: silentLogger })
  const made: string[] = []
  const copies = await SetCopies.open('/meta', registry.view, {
    files: new SimulatedFiles({ clock, random }).mount(),
    clock,
    random,
    logger: silentLogger,
    meter: silentMeter,
    metadataSource: () => ({ pull: away, watch: away, handBack: away }),
  })
  const administration = {
    putTopic: (grpcAddress: string, { name }: { readonly name: string }): Promise<void> => {
      made.push(`${name} at ${grpcAddress}`)
      return Promise.resolve()
    },
    putGroup: () => Promise.resolve(),
  }
  const topics = new ClusterTopics(copies, registry.view, administration, { create: true, queues: 4 }, clock)
  return { clock, registry, topics, made }
}

test('a master that is on its way is waited for', async () => {
  const { clock, registry, topics, made } = await clusterWithoutBrokers()
  const making = topics.makeTopic({ name: 'Orders' })
  await clock.advance(1_000)
  const session = registry.open(
    hello,
    () => undefined,
    () => undefined,
  )
  session.send({ ...status, sequence: 1 })
  await clock.outcome(making)
  expect(made).toEqual(['Orders at 127.0.0.1:1'])
})

test('without a master nothing is made, and the refusal names the set', async () => {
  const { clock, topics } = await clusterWithoutBrokers()
  await expect(clock.outcome(topics.makeTopic({ name: 'Orders', set: 'broker-b' }))).rejects.toMatchObject({
    code: 'NO_WRITABLE_BROKER',
    message: 'the broker set broker-b has no writable master now, try again',
  })
})
