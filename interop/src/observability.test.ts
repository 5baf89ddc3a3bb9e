import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tandemmq } from './cli.ts'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { Scrape } from './scrape.ts'
import { until } from './until.ts'
import { Workload } from './workload.ts'

const TOPIC = 'Watched'
const SOLD = { topic: TOPIC, consumer_group: 'watchers' }
/** Every series carries them. */
const COMMON = ['cluster', 'node_type', 'node_id']
const SLAVE = { identity: 'broker-a-1' }

let cluster: LocalCluster
let clients: Clients
let front: Scrape
let master: Scrape
let slave: Scrape

beforeAll(async () => {
  cluster = await LocalCluster.start()
  clients = new Clients(cluster)
  front = new Scrape(cluster.ready.http)
  master = new Scrape(cluster.ready.services['broker-master']?.http ?? '')
  slave = new Scrape(cluster.ready.services['broker-slave']?.http ?? '')
})

afterAll(async () => {
  await clients[Symbol.asyncDispose]()
  await cluster.stop()
})

const untilReady = (service: Scrape, what: string): Promise<unknown> =>
  until(`${what} to be ready`, async () => (await service.readiness()).ready)

test('the figures of all three services follow messages from their producer to their consumer', async () => {
  const work = new Workload(TOPIC)
  const producer = await clients.producer(TOPIC)
  while (work.accepted < 12) await work.send(producer)
  const consumer = await clients.simple('watchers', TOPIC, '*', 1_000)
  const consuming = work.keepConsuming(consumer)
  await work.reached(() => work.consumed >= 12)

  const sent = { topic: TOPIC, message_type: 'normal', is_system: 'false', node_id: 'broker-a' }
  expect(await master.value('rocketmq_messages_in_total', sent)).toBe(12)
  expect(await master.value('rocketmq_messages_out_total', SOLD)).toBe(12)
  expect(await master.value('rocketmq_message_size_count', sent)).toBe(12)
  const bytes = await master.value('rocketmq_throughput_in_total', sent)
  expect(await master.value('rocketmq_throughput_out_total', SOLD)).toBe(bytes)
  expect(await slave.value('rocketmq_messages_in_total')).toBeUndefined()

  await until(
    'nothing to be left',
    async () => (await master.value('rocketmq_consumer_lag_messages', SOLD)) === 0,
  )
  expect(await master.value('rocketmq_consumer_inflight_messages', SOLD)).toBe(0)
  expect(await slave.value('rocketmq_consumer_lag_messages')).toBeUndefined()
  expect(await master.value('rocketmq_ha_replica_lag_bytes', SLAVE)).toBe(0)
  expect(await master.value('rocketmq_ha_replica_in_sync', SLAVE)).toBe(1)
  const end = await master.value('rocketmq_ha_log_position_bytes', { position: 'written' })
  expect(end).toBeGreaterThan(12 * 100)
  expect(await slave.value('rocketmq_ha_log_position_bytes', { position: 'written' })).toBe(end)
  expect(await slave.value('rocketmq_ha_received_bytes_total')).toBe(end)

  expect(await master.value('rocketmq_ha_serving')).toBe(1)
  expect(await slave.value('rocketmq_ha_serving')).toBe(0)
  expect(await front.value('rocketmq_ha_set_served', { set: 'broker-a' })).toBe(1)
  expect(await front.value('rocketmq_consumer_connections', { consumer_group: 'watchers' })).toBe(1)
  expect(await front.value('rocketmq_producer_connections', { language: 'node_js' })).toBe(1)
  const sends = { request_code: 'send_message', result: 'success' }
  expect(await front.value('rocketmq_rpc_latency_count', sends)).toBe(12)
  work.stopConsuming()
  await consuming
})

test('the page of metrics says what there is, no less and no more', async () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([\w, ]*)\| ([MSR ]+) \| .*\w.* \|$/gm)].map(
    ([, name = '', type = '', labels = '', where = '']) => ({ name, type, labels, where }),
  )
  for (const [letter, service] of [
    ['M', master],
    ['S', slave],
    ['R', front],
  ] as const) {
    const { metrics, labels } = await service.declared()
    const expected = rows.filter(({ where }) => where.includes(letter))
    expect(metrics.toSorted(), letter).toEqual(expected.map(({ name, type }) => `${name} ${type}`).toSorted())
    const known = new Set(
      expected.flatMap(({ name, labels: own }) =>
        [...COMMON, ...own.split(',').map((label) => label.trim())].flatMap((label) =>
          ['', '_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix} ${label}`),
        ),
      ),
    )
    expect([...labels].filter((label) => !known.has(label) && !label.endsWith('_bucket le'))).toEqual([])
  }
})

test('metadata-rpc and each broker say who follows whom, behind the token', async () => {
  const token = readFileSync(join(cluster.data, 'conf', 'admin-token'), 'utf8').trim()
  const ask = async (service: string | undefined, authorization = `Bearer ${token}`): Promise<unknown> => {
    const answer = await fetch(`${service}/api/v1/replication`, { headers: { authorization } })
    return answer.ok ? answer.json() : answer.status
  }
  const { services, http } = cluster.ready
  const end = await master.value('rocketmq_ha_log_position_bytes', { position: 'written' })
  const replica = { identity: 'broker-a-1', state: 'in sync', received: end, lagBytes: 0, connects: 1 }
  const asMaster = { identity: 'broker-a-0', role: 'master', end, replicas: [replica] }
  const following = { master: 'broker-a-0', state: 'following', lagBytes: 0, connects: 1 }
  const asSlave = { identity: 'broker-a-1', role: 'slave', end, replicas: [], following }
  expect(await ask(services['broker-master']?.http)).toMatchObject({ members: [asMaster] })
  expect(await ask(services['broker-slave']?.http)).toMatchObject({ members: [asSlave] })
  await until('all to be known to metadata-rpc', async () => {
    return JSON.stringify(await ask(http)).includes(`"masterEnd":${end}`)
  })
  expect(await ask(http)).toMatchObject({ members: [asMaster, asSlave] })
  expect(await ask(services['broker-slave']?.http, 'Bearer wrong')).toBe(401)
  expect(await master.value('rocketmq_ha_ack_latency_ms_count', SLAVE)).toBeGreaterThan(0)
})

test('readiness names what a master lacks without its slave, and turns back when the slave is back', async () => {
  for (const [service, what] of [
    [master, 'the master'],
    [slave, 'the slave'],
    [front, 'metadata-rpc'],
  ] as const) {
    await untilReady(service, what)
  }
  expect((await master.readiness()).okMeans).toBe(cluster.ready.okMeans)
  const healthy = await tandemmq('doctor', '--data', cluster.data)
  expect([healthy.code, healthy.stdout]).toEqual([0, expect.stringMatching(/\nnothing is wrong\n$/)])

  await cluster.end('broker-slave')
  const lonely = await until('the master not to be ready', async () => {
    const now = await master.readiness()
    return now.ready ? undefined : now
  })
  expect(lonely.status).toBe(503)
  expect(lonely.problems.map(({ check }) => check).toSorted()).toEqual(['in_sync', 'writable'])
  expect(lonely.problems[0]?.message).toContain('inSyncReplicas=2, but only 1')
  expect(lonely.serving).toBe(true)
  expect(await master.value('rocketmq_ha_degraded')).toBe(1)
  expect(await master.value('rocketmq_ha_check', { check: 'in_sync' })).toBe(0)
  expect(await master.value('rocketmq_ha_check', { check: 'serving' })).toBe(1)
  await until('metadata-rpc to say so', async () => {
    const { problems, status } = await front.readiness()
    return status === 503 && problems.every(({ check }) => check === 'writable')
  })
  const ill = await tandemmq('doctor', '--data', cluster.data)
  expect([ill.code, ill.stdout]).toEqual([
    1,
    expect.stringContaining('broker-a takes no messages: inSyncReplicas=2, but only 1'),
  ])

  await cluster.restart('broker-slave')
  await Promise.all([untilReady(master, 'the master'), untilReady(slave, 'the slave')])
  await untilReady(front, 'metadata-rpc')
  expect(await master.value('rocketmq_ha_degraded')).toBe(0)
  expect(await master.value('rocketmq_ha_accepted_total')).toBe(2)
})

test('a slave that serves alone is ready, and says that it serves', async () => {
  await cluster.end('broker-master')
  await until('the slave to serve', async () => (await slave.value('rocketmq_ha_serving')) === 1)
  expect(await slave.readiness()).toMatchObject({ status: 200, serving: true, problems: [] })
  expect(await slave.value('rocketmq_ha_connected')).toBe(0)
  expect(await front.readiness()).toMatchObject({
    status: 503,
    problems: [{ check: 'writable', message: expect.stringContaining('broker-a takes no messages') }],
  })
})
