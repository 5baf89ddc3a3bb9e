import { until } from '@tandemmq/interop'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ContainerCluster, type Difference } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load } from './load.ts'

interface Stranger {
  readonly name: string
  readonly difference: Difference
  /** What the master, and what metadata-rpc, says against it. */
  readonly words: readonly [byMaster: string, byRegistry: string]
}

const strangers: readonly Stranger[] = [
  {
    name: 'another secret',
    difference: { secret: 'a secret that nobody else of the set has' },
    words: ['has another secret than its peer', 'broker-a-2 does not know the secret of this set'],
  },
  {
    name: 'another cluster',
    difference: { settings: { TANDEMMQ_BROKER_CLUSTER_NAME: 'OtherCluster' } },
    words: [
      'slave "broker-a-2" is of cluster "OtherCluster", its peer of "DefaultCluster"',
      'this registry keeps cluster DefaultCluster, not OtherCluster',
    ],
  },
  {
    name: 'another broker set',
    difference: { settings: { TANDEMMQ_BROKER_NAME: 'broker-b' } },
    words: [
      'slave "broker-b-2" is of broker set "broker-b", its peer of "broker-a"',
      'this registry keeps broker-a, not the broker set broker-b',
    ],
  },
]

let cluster: ContainerCluster
let load: Load

beforeAll(async () => {
  cluster = await ContainerCluster.create({
    replication: 'sync',
    slaves: 2,
    // A stranger is none of the set's replicas.
    settings: { 'broker-master': { TANDEMMQ_TOTAL_REPLICAS: '2' } },
  })
  await Promise.all([cluster.add('metadata-rpc'), cluster.add('broker-master'), cluster.add('broker-slave')])
  await cluster.ready()
  load = await Load.start(cluster, 'Honest')
})
afterAll(async () => {
  await load[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

// Also after a test that failed in the middle.
afterEach(() => cluster.discard('broker-slave-2'))

test.for(strangers)(
  'a slave of $name is refused, and told why; the rest goes on',
  async ({ difference, words }, context) => {
    keepLogsOnFailure(context, cluster)
    const from = cluster.lines.all.length
    const stranger = await cluster.add('broker-slave-2', difference)
    const quoted = words.map((text) => JSON.stringify(text).slice(1, -1))
    for (const text of quoted) await cluster.lines.line(['broker-slave-2 | ', text], from)
    await cluster.lines.line(['broker-master | ', quoted[0] ?? ''], from)
    await cluster.lines.line(['metadata-rpc | ', quoted[1] ?? ''], from)
    await until('/readyz of the stranger to tell both', async () => {
      const { status, body } = await stranger.readiness()
      const { problems }: { problems: readonly { check: string; message: string }[] } = JSON.parse(body)
      const says = (check: string, text: string): boolean =>
        problems.some((it) => it.check === check && it.message.includes(text))
      if (status === 503 && says('in_sync', words[0]) && says('registered', words[1])) return true
      throw new Error(`${status} ${body}`)
    })

    await Promise.all([load.accepts(50), load.consumes(50)])
    expect(load.refusals).toEqual([])
    expect(load.late.length, String(load.late)).toBeLessThanOrEqual(LATE_MAX)
    expect(load.work.repeats).toEqual([])
    for (const name of ['metadata-rpc', 'broker-master', 'broker-slave'] as const)
      expect(await cluster.service(name).readiness()).toMatchObject({ status: 200 })
    expect((await cluster.api.state()).sets.map(({ name }) => name)).toEqual(['broker-a'])
  },
)
