import {
  ConsumeResult,
  FilterExpression,
  Producer,
  PushConsumer,
  SimpleConsumer,
} from 'rocketmq-client-nodejs'
import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '@tandemmq/base'
import { BrokerCalls } from '../client-api/broker-calls.ts'
import { realClock, serve, until } from '../loopback.test-support.ts'
import { MemoryMessaging } from '../memory-messaging.test-support.ts'
import { ClientEdge } from './client-edge.ts'
import { clientService } from './client-service.ts'
import type { RouteCatalog } from './route-catalog.ts'

/** The official client writes files unless it is given a logger. */
const logger = { info() {}, warn() {}, error() {}, debug() {} }
const TOPICS = ['Orders', 'Payments', 'Parcels', 'Returns', 'Mails', 'Stocks']

let edge: ClientEdge | undefined
let broker: BrokerCalls | undefined

// The servers stay open until the process ends: the client leaves its stream without an error listener when it shuts down, so that a
// connection that is closed too soon after that would take the whole process with it.
afterEach(async () => {
  const left = edge
  if (left) await until(() => left.streamCount === 0)
  edge?.close()
  broker?.close()
})

async function start() {
  const api = new MemoryMessaging({ clock: realClock, topics: TOPICS })
  broker = new BrokerCalls({ api, clock: realClock })
  const catalog: RouteCatalog = {
    topic: (name) =>
      TOPICS.includes(name)
        ? [{ set: 'broker-a', readQueues: 4, writeQueues: 4, perm: 6, type: 'MIXED' }]
        : [],
    group: (name) => (name === 'orderly' ? { orderly: true, retryMaxTimes: 16 } : undefined),
    createTopic: async () => [],
  }
  edge = new ClientEdge({
    target: broker,
    presence: broker.presence,
    catalog,
    clock: realClock,
    logger: silentLogger,
  })
  const { definition, implementation } = clientService(edge, realClock, () => {})
  const { address } = await serve((grpc) => grpc.add(definition, implementation))
  return { api, connection: { endpoints: address, namespace: '', logger } }
}

test('a producer sends, a simple consumer receives and acknowledges', async () => {
  const { api, connection } = await start()
  const producer = new Producer({ ...connection, topic: 'Orders' })
  await producer.startup()
  const receipt = await producer.send({
    topic: 'Orders',
    tag: 'new',
    keys: ['o-1', 'o-2'],
    body: Buffer.from('你好'),
    properties: new Map([['colour', 'blue']]),
  })
  expect(receipt.messageId).toBe(api.sent[0]?.messageId)
  expect(receipt.transactionId).toBe(receipt.messageId)
  await producer.send({ topic: 'Orders', messageGroup: 'customer-7', body: Buffer.from('fifo') })

  const consumer = new SimpleConsumer({
    ...connection,
    consumerGroup: 'g1',
    awaitDuration: 5000,
    subscriptions: new Map([['Orders', new FilterExpression('*')]]),
  })
  await consumer.startup()
  const [first, second] = await consumer.receive(16, 15_000)
  expect(first?.messageId).toBe(receipt.messageId)
  expect(first?.body.toString()).toBe('你好')
  expect(first?.corrupted).toBeFalsy()
  expect(first?.tag).toBe('new')
  expect(first?.keys).toEqual(['o-1', 'o-2'])
  expect(first?.properties).toEqual(new Map([['colour', 'blue']]))
  expect(first?.deliveryAttempt).toBe(1)
  expect(second?.messageGroup).toBe('customer-7')
  expect(second?.properties.get('__SHARDINGKEY')).toBe('customer-7')
  if (!first || !second) throw new Error('two messages were expected')
  await consumer.ack(first)
  const handle = second.receiptHandle
  await consumer.changeInvisibleDuration(second, 20_000)
  expect(second.receiptHandle).not.toBe('')
  expect(second.receiptHandle).not.toBe(handle)
  await consumer.ack(second)
  expect(api.acked).toEqual([first.messageId, second.messageId])
  await consumer.shutdown()
  await producer.shutdown()
  expect(api.goneClients).toEqual([expect.stringMatching(/^g1\//)])
})

test('a push consumer gets what is sent while it polls; a failure is not tried again at once', async () => {
  const { api, connection } = await start()
  const seen: string[] = []
  const consumer = new PushConsumer({
    ...connection,
    consumerGroup: 'g2',
    subscriptions: new Map([['Orders', '*']]),
    messageListener: {
      async consume(message: { body: Buffer }) {
        seen.push(message.body.toString())
        return message.body.toString() === 'bad' ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS
      },
    },
  })
  await consumer.startup()
  await until(() => api.polls > 0)
  const producer = new Producer({ ...connection, topic: 'Orders' })
  await producer.startup()
  await producer.send({ topic: 'Orders', body: Buffer.from('good') })
  await producer.send({ topic: 'Orders', body: Buffer.from('bad') })
  await until(() => api.acked.length === 1 && api.nacked.length === 1)
  expect(seen).toEqual(['good', 'bad'])
  // The client's own arithmetic makes 5 ms of 5 s; it is told so that it comes to seconds.
  expect(api.nacked[0]?.invisibleMs).toBeGreaterThanOrEqual(5_000)
  await producer.shutdown()
  const stopped = consumer.shutdown()
  await until(() => api.polls > 0)
  api.endPolls() // It waits for its poll to end.
  await stopped
})

test.each([2, 3, 6])(
  'a client with %i topics starts, although it misses the first settings',
  async (count) => {
    const { connection } = await start()
    const producer = new Producer({ ...connection, topics: TOPICS.slice(0, count) })
    await producer.startup()
    const consumer = new SimpleConsumer({
      ...connection,
      consumerGroup: 'g3',
      awaitDuration: 5000,
      subscriptions: new Map(TOPICS.slice(0, count).map((topic) => [topic, '*'])),
    })
    await consumer.startup()
    await consumer.shutdown()
    await producer.shutdown()
  },
)

test('an unknown topic is told at start, in the words that the client looks for', async () => {
  const { connection } = await start()
  const producer = new Producer({ ...connection, topic: 'Nowhere' })
  const failure = await producer.startup().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const words: string[] = []
  for (let cause = failure; cause instanceof Error; cause = cause.cause) words.push(cause.message)
  expect(words.join('\n')).toMatch(
    /CODE: 17 {2}DESC: No topic route info in name server for the topic: Nowhere/,
  )
})
