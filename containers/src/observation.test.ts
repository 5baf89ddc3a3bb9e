import { until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { Load } from './load.ts'
import type { ServiceContainer } from './service-container.ts'

test('health, readiness and metrics say what is going on, in the containers', async (context) => {
  await using cluster = await ContainerCluster.start({ replication: 'sync' })
  keepLogsOnFailure(context, cluster)
  await using load = await Load.start(cluster, 'Observed', { backlog: 200 })
  const [gateway, master, slave] = (['metadata-rpc', 'broker-master', 'broker-slave'] as const).map((name) =>
    cluster.service(name),
  )
  if (gateway === undefined || master === undefined || slave === undefined) throw new Error('all three run')

  for (const service of cluster.services) {
    expect((await service.http('/healthz')).status).toBe(200)
    expect(await value(service, 'process_resident_memory_bytes')).toBeGreaterThan(1e7)
  }
  expect(await value(master, 'rocketmq_messages_in_total', 'topic="Observed"')).toBeGreaterThanOrEqual(200)
  const consumed = load.work.consumed
  const labels = 'topic="Observed",consumer_group="Observed-group"'
  expect(await value(master, 'rocketmq_messages_out_total', labels)).toBeGreaterThanOrEqual(consumed)
  expect(await value(master, 'rocketmq_ha_known_replicas')).toBe(2)
  expect(await value(master, 'rocketmq_ha_serving')).toBe(1)
  expect(await value(slave, 'rocketmq_ha_serving')).toBe(0)
  expect(await value(slave, 'rocketmq_ha_connected')).toBe(1)
  expect(await value(gateway, 'rocketmq_proxy_up')).toBe(1)

  // The slave falls silent: the master says what is missing, and is not called dead for it.
  await slave.pause()
  await unready(master, 'in_sync', 'inSyncReplicas=2, but only 1 (master included) can acknowledge now')
  await unready(gateway, 'writable', 'inSyncReplicas=2')
  expect(await value(master, 'rocketmq_ha_check', 'check="in_sync"')).toBe(0)
  expect((await master.http('/startupz')).status).toBe(200)
  await slave.unpause()
  await cluster.ready()
  expect(await value(master, 'rocketmq_ha_check', 'check="in_sync"')).toBe(1)

  // The master dies: the slave serves and is ready, metadata-rpc says what cannot be done.
  await load.stopSending()
  load.stopConsuming()
  const epoch = await value(slave, 'rocketmq_ha_serving_epoch')
  await master.kill()
  await unready(gateway, 'writable', 'broker-a takes no messages')
  await cluster.serviceReady('broker-slave')
  await until('the slave to serve', async () => (await value(slave, 'rocketmq_ha_serving')) === 1)
  expect(await value(slave, 'rocketmq_ha_serving_epoch')).toBeGreaterThan(epoch)
  load.consumeAgain()
  await load.complete()
  await master.startAgain()
  await cluster.ready()
  await cluster.level()
})

/** Waits until the service is not ready because of this check, in these words. */
async function unready(service: ServiceContainer, check: string, words: string): Promise<void> {
  await until(`${service.name} to say: ${check}, ${words}`, async () => {
    const { status, body } = await service.readiness()
    const { problems }: { problems: readonly { check: string; message: string }[] } = JSON.parse(body)
    return status === 503 && problems.some((it) => it.check === check && it.message.includes(words))
  })
}

/** The first sample of a metric whose labels contain `labels`. */
async function value(service: ServiceContainer, metric: string, labels = ''): Promise<number> {
  const text = await (await service.http('/metrics')).text()
  const sample = text
    .split('\n')
    .find((line) => line.startsWith(`${metric}{`) && labels.split(',').every((label) => line.includes(label)))
  if (sample === undefined) throw new Error(`${service.name} has no ${metric}{${labels}}`)
  return Number(sample.slice(sample.lastIndexOf(' ') + 1))
}
