import { until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load } from './load.ts'

test('an empty slave takes the place of one that is lost: it copies the history, and serves it when the master is gone', async (context) => {
  await using cluster = await ContainerCluster.start({ replication: 'async' })
  keepLogsOnFailure(context, cluster)
  await cluster.discard('broker-slave')
  await using load = await Load.start(cluster, 'History', { backlog: 600, bodyBytes: 2_000 })

  await cluster.add('broker-slave')
  await cluster.ready()
  await load.accepts(50)
  const end = await until('the slave to have copied the history', async () => {
    const { lagBytes, end: itsEnd } = await cluster.api.member('broker-a-1')
    return lagBytes < 64 * 1024 && itsEnd
  })
  expect(end).toBeGreaterThan(1_000_000)

  await load.stopSending()
  await cluster.level()
  const consumed = load.work.consumed
  expect(consumed).toBeLessThan(load.work.accepted)
  await cluster.service('broker-master').kill()
  await load.complete()
  await cluster.service('broker-master').startAgain()
  const [master, slave] = await cluster.logChecksums()
  expect(slave).toBe(master)
})

test('of two slaves one stalls: sync sends with inSyncReplicas=2 go on, and it catches up afterwards', async (context) => {
  await using cluster = await ContainerCluster.start({ replication: 'sync', slaves: 2 })
  keepLogsOnFailure(context, cluster)
  await using load = await Load.start(cluster, 'Stalled')
  await cluster.service('broker-slave-2').pause()
  await until('the master to miss the stalled slave', async () => {
    const { replicas = [] } = await cluster.api.member('broker-a-0')
    return replicas.every(({ identity, state }) => identity !== 'broker-a-2' || state !== 'in sync')
  })
  await load.accepts(300)
  expect(load.refusals).toEqual([])
  await cluster.service('broker-slave-2').unpause()
  await load.accepts(50)
  await load.stopSending()
  await load.complete()
  expect(load.refusals).toEqual([])
  expect(load.late.length, String(load.late)).toBeLessThanOrEqual(LATE_MAX)
  expect(load.work.repeats).toEqual([])
  const [master, ...slaves] = await cluster.logChecksums()
  expect(slaves).toEqual([master, master])
})
