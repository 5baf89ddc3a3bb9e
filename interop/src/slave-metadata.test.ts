import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'

test('the pull alone brings the four kinds of metadata to the slave, in the shapes of Apache; a master that is away deletes nothing', async () => {
  await using cluster = await LocalCluster.start()
  await cluster.end('broker-slave', 'SIGTERM')
  await cluster.restart('broker-slave', ['slaveMetadataWatch=false', 'slaveMetadataPullInterval=200'])
  await cluster.api.createTopic({ name: 'Pulled', type: 'MIXED', queues: 1 })
  await cluster.api.fetch('/api/v1/groups', { name: 'pullers', retryMaxTimes: 7 })
  await using clients = new Clients(cluster)
  const producer = await clients.producer('Pulled')
  const deliveryTimestamp = new Date(Date.now() + 500)
  await producer.send({ topic: 'Pulled', body: Buffer.from('late'), deliveryTimestamp })
  for (let sent = 0; sent < 9; sent += 1) await producer.send({ topic: 'Pulled', body: Buffer.from('now') })
  const consumer = await clients.simple('pullers', 'Pulled')
  for (let acked = 0; acked < 10;) {
    for (const message of await consumer.receive(16, 15_000)) {
      await consumer.ack(message)
      acked += 1
    }
  }

  // Of two pulls that end from now on, the second began after all this.
  let last = await lastPull(cluster)
  for (const _ of [1, 2]) last = await until('a pull', async () => laterThan(last, await lastPull(cluster)))
  const sync = (await cluster.api.member('broker-a-1')).metadataSync
  expect(sync?.results).toEqual({ topics: 'ok', groups: 'ok', progress: 'ok', delay: 'ok' })

  const from = cluster.log.length
  await cluster.end('broker-master')
  await cluster.lines.line(['broker-slave', 'a metadata pull failed'], from)
  await until('the slave to tell of it', async () => {
    const told = (await cluster.api.member('broker-a-1')).metadataSync?.results
    return /^(nobody listens at|no connection comes about)/.test(told?.['last attempt'] ?? '')
  })
  expect(await (await cluster.api.fetch('/api/v1/topics')).text()).toContain('Pulled')

  await cluster.end('broker-slave', 'SIGTERM')
  const config = (file: string): unknown => configFile(cluster.data, file)
  const topic = { topicName: 'Pulled', readQueueNums: 1, writeQueueNums: 1, perm: 6 }
  expect(config('topics.json')).toMatchObject({ topicConfigTable: { Pulled: topic } })
  const group = { groupName: 'pullers', retryMaxTimes: 7, consumeEnable: true }
  expect(config('subscriptionGroup.json')).toMatchObject({ subscriptionGroupTable: { pullers: group } })
  expect(config('consumerOffset.json')).toMatchObject({ offsetTable: { 'Pulled@pullers': { '0': 10 } } })
  // Level 0 is ours: how far the timers have been served.
  expect(config('delayOffset.json')).toMatchObject({ offsetTable: { '0': 1 } })
})

async function lastPull(cluster: LocalCluster): Promise<number> {
  return (await cluster.api.member('broker-a-1')).metadataSync?.lastSuccessAt ?? 0
}

function laterThan(before: number, now: number): number | undefined {
  return now > before ? now : undefined
}

/** Apache's JSON writer leaves keys that are numbers without quotes, and so do we. */
function configFile(data: string, file: string): unknown {
  const text = readFileSync(join(data, 'broker-slave/config', file), 'utf8')
  const parsed: unknown = JSON.parse(text.replaceAll(/([{,]\s*)(\d+):/g, '$1"$2":'))
  return parsed
}
