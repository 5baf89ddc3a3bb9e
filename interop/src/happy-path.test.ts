import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { ConsumeResult, type MessageView } from 'rocketmq-client-nodejs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'

let cluster: LocalCluster
let clients: Clients

beforeAll(async () => {
  cluster = await LocalCluster.start()
  clients = new Clients(cluster)
})

afterAll(async () => {
  await clients?.[Symbol.asyncDispose]()
  expect(await cluster?.stop()).toBe(0)
})

test('an ordinary start warns of nothing', () => {
  expect(cluster.log.filter((line) => /\b(warn|error)\b/.test(line))).toEqual([])
  expect(cluster.ready.okMeans).toBe(
    'appended to the logs of this master and one replica. Survives the loss of one machine.',
  )
})

test('a simple consumer gets tag, keys, properties and body as they were sent, and only its tag', async () => {
  const producer = await clients.producer('Orders')
  const body = Buffer.from('你好, 世界 \u{1F680}')
  await producer.send({ topic: 'Orders', tag: 'old', body: Buffer.from('not for this consumer') })
  const receipt = await producer.send({
    topic: 'Orders',
    tag: 'new',
    keys: ['o-1', 'o-2'],
    properties: new Map([['colour', 'blue']]),
    body,
  })
  const consumer = await clients.simple('orders-new', 'Orders', 'new')
  const [message, ...more] = await received(() => consumer.receive(16, 15_000))
  expect(more).toEqual([])
  expect(message?.messageId).toBe(receipt.messageId)
  expect(message?.body).toEqual(body)
  expect(message?.corrupted).toBeFalsy()
  expect(message?.tag).toBe('new')
  expect(message?.keys).toEqual(['o-1', 'o-2'])
  expect(message?.properties).toEqual(new Map([['colour', 'blue']]))
  expect(message?.deliveryAttempt).toBe(1)
  if (message !== undefined) await consumer.ack(message)
})

test('a push consumer gets what is sent while it waits; a failure does not hold up the rest', async () => {
  const seen: string[] = []
  const attempts: (number | undefined)[] = []
  const done = Promise.withResolvers<void>()
  await clients.push('pushed', 'Pushed', async (message) => {
    const text = message.body.toString()
    seen.push(text)
    attempts.push(message.deliveryAttempt)
    if (text === 'twice' && message.deliveryAttempt === 1) {
      await producer.send({ topic: 'Pushed', body: Buffer.from('last') })
      return ConsumeResult.FAILURE
    }
    if (text === 'last') done.resolve()
    return ConsumeResult.SUCCESS
  })
  const producer = await clients.producer('Pushed')
  await producer.send({ topic: 'Pushed', body: Buffer.from('once') })
  await producer.send({ topic: 'Pushed', body: Buffer.from('twice') })
  await done.promise
  expect(seen.toSorted()).toEqual(['last', 'once', 'twice'])
})

test('large messages are on both machines before the sender has its answer, and come back whole', async () => {
  const producer = await clients.producer('Large')
  const consumer = await clients.simple('large', 'Large')
  for (const bytes of [1, 160_000, 1_500_000, 4_190_000]) {
    const body = randomBytes(bytes)
    await producer.send({ topic: 'Large', body })
    const [message] = await received(() => consumer.receive(1, 30_000))
    expect(message?.corrupted).toBeFalsy()
    expect(message?.body.equals(body)).toBe(true)
    if (message !== undefined) await consumer.ack(message)
  }
  // All that `maxMessageSize` allows; what comes back of it is more than this client takes.
  const sent = await clients.producer('Largest')
  const { messageId } = await sent.send({ topic: 'Largest', body: randomBytes(4_194_304) })
  expect(messageId).not.toBe('')
})

test('a delayed message is never early', async () => {
  const producer = await clients.producer('Later')
  const consumer = await clients.simple('later', 'Later')
  const due = Date.now() + 1_500
  await producer.send({ topic: 'Later', body: Buffer.from('late'), deliveryTimestamp: new Date(due) })
  const [message] = await received(() => consumer.receive(1, 15_000))
  expect(Date.now()).toBeGreaterThanOrEqual(due)
  expect(message?.body.toString()).toBe('late')
  if (message !== undefined) await consumer.ack(message)
})

test('messages of one group stay in order', async () => {
  await cluster.api.createTopic({ name: 'Ordered', type: 'FIFO', queues: 4 })
  expect((await cluster.api.fetch('/api/v1/groups', { name: 'ordered', orderly: true })).status).toBe(201)
  const producer = await clients.producer('Ordered')
  const numbers = Array.from({ length: 20 }, (_, index) => String(index))
  for (const number of numbers) {
    await producer.send({ topic: 'Ordered', messageGroup: 'customer-7', body: Buffer.from(number) })
  }
  const consumer = await clients.simple('ordered', 'Ordered')
  const seen: string[] = []
  while (seen.length < numbers.length) {
    for (const message of await consumer.receive(8, 15_000)) {
      seen.push(message.body.toString())
      await consumer.ack(message)
    }
  }
  expect(seen).toEqual(numbers)
})

test('the admin API creates, lists and describes topics and groups', async () => {
  await cluster.api.createTopic({ name: 'Made', queues: 3 })
  const described = await (await cluster.api.fetch('/api/v1/topics/Made')).json()
  expect(described).toMatchObject({ name: 'Made', sets: ['broker-a'], readQueues: 3, writeQueues: 3 })
  const producer = await clients.producer('Made')
  await producer.send({ topic: 'Made', body: Buffer.from('made by hand') })

  expect((await cluster.api.fetch('/api/v1/groups', { name: 'readers', retryMaxTimes: 5 })).status).toBe(201)
  const consumer = await clients.simple('readers', 'Made')
  const [message] = await received(() => consumer.receive(1, 15_000))
  if (message !== undefined) await consumer.ack(message)
  const progress = await until('progress of readers', async () => {
    const group: { progress: { topic: string; offset: number }[] } = JSON.parse(
      await (await cluster.api.fetch('/api/v1/groups/readers')).text(),
    )
    return group.progress.find(({ topic, offset }) => topic === 'Made' && offset > 0)
  })
  expect(progress).toMatchObject({ set: 'broker-a', offset: 1 })
  const groups = await (await cluster.api.fetch('/api/v1/groups')).json()
  expect(groups).toMatchObject({
    groups: expect.arrayContaining([
      { name: 'readers', orderly: false, retryMaxTimes: 5, consumeEnabled: true },
      expect.objectContaining({ name: 'orders-new' }),
    ]),
  })
  expect((await cluster.api.fetch('/api/v1/topics/Nowhere')).status).toBe(404)
  expect((await cluster.api.fetch('/api/v1/groups', { name: '../x' })).status).toBe(400)
})

test('the cluster state shows sets, roles, positions, lag and the last metadata sync', async () => {
  const [master, slave] = await until('the slave to be level', async () => {
    const both = [await cluster.api.member('broker-a-0'), await cluster.api.member('broker-a-1')] as const
    const isLevel =
      both[0].end > 0 && both.every((it) => it.end === both[0].end && it.confirmed === both[0].end)
    return isLevel && both[1].metadataSync?.lastSuccessAt !== 0 ? both : undefined
  })
  const set = await cluster.api.set()
  expect(set.serving?.identity).toBe('broker-a-0')
  expect(set.writable).toBe('broker-a-0')
  expect(set.okMeans).toBe(cluster.ready.okMeans)
  expect(master).toMatchObject({ role: 'master', alive: true, writable: true, lagBytes: 0 })
  expect(master.replicas).toMatchObject([{ identity: 'broker-a-1', state: 'in sync' }])
  expect(slave).toMatchObject({
    role: 'slave',
    alive: true,
    writable: false,
    masterConnected: true,
    lagBytes: 0,
  })
  expect(slave.metadataSync?.results).toEqual({ topics: 'ok', groups: 'ok', progress: 'ok', delay: 'ok' })
  expect(slave.metadataSync?.version).toMatch(/\d/)
})

test('health, readiness and metrics answer', async () => {
  expect(await (await cluster.api.fetch('/healthz')).json()).toEqual({ status: 'ok' })
  expect(await (await cluster.api.fetch('/readyz')).json()).toEqual({ ready: true, problems: [] })
  const metrics = await (await cluster.api.fetch('/metrics')).text()
  expect(metrics).toMatch(/^# HELP rocketmq_ha_/m)
  expect(metrics).toMatch(/^process_cpu_seconds_total\{/m)
})

/** Receives until something comes. */
async function received(receive: () => Promise<MessageView[]>): Promise<MessageView[]> {
  for (;;) {
    const messages = await receive()
    if (messages.length > 0) return messages
    await once(AbortSignal.timeout(1), 'abort')
  }
}
