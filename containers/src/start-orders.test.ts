import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load } from './load.ts'

const orders = [
  ['metadata-rpc', 'broker-master', 'broker-slave'],
  ['metadata-rpc', 'broker-slave', 'broker-master'],
  ['broker-master', 'metadata-rpc', 'broker-slave'],
  ['broker-master', 'broker-slave', 'metadata-rpc'],
  ['broker-slave', 'metadata-rpc', 'broker-master'],
  ['broker-slave', 'broker-master', 'metadata-rpc'],
] as const

test.for(orders)('started in the order %s, %s, %s it comes up by itself', async (order, context) => {
  await using cluster = await ContainerCluster.create({ replication: 'sync' })
  keepLogsOnFailure(context, cluster)
  for (const name of order) await cluster.add(name)
  await cluster.ready()
  await using load = await Load.start(cluster, 'Orders')
  await load.accepts(50)
  await load.stopSending()
  await load.complete()
  expect(load.refusals).toEqual([])
  expect(load.late.length, String(load.late)).toBeLessThanOrEqual(LATE_MAX)
  expect(load.work.repeats).toEqual([])
  const [master, slave] = await cluster.logChecksums()
  expect(slave).toBe(master)
})
