import { Clients, Workload } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'

test('messages go through', async () => {
  await using cluster = await ContainerCluster.start({ replication: 'sync' })
  await using clients = new Clients(cluster)
  const work = new Workload('Smoke')
  const producer = await clients.producer('Smoke')
  const consumer = await clients.simple('smoke', 'Smoke')
  void work.keepConsuming(consumer)
  while (work.accepted < 200) await work.send(producer)
  await work.reached(() => work.ledger.isComplete)
  work.stopConsuming()
  const [master, ...slaves] = await cluster.logChecksums()
  expect(slaves).toEqual([master])
})
