import type { MessageView } from 'rocketmq-client-nodejs'
import { describe, test } from 'vitest'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './until.ts'

const TOPIC = 'Ledger'
const GROUP = 'ledger'
/** Longer than a test takes. */
const LONG_MS = 120_000

/** A cluster with messages in order, of which one consumer has the first; another one waits. The master is lost at that moment. */
async function lostWhileHeld(invisibleMs: number, slaveKeys: readonly string[] = []) {
  await using opened = new AsyncDisposableStack()
  const cluster = opened.use(await LocalCluster.start())
  if (slaveKeys.length > 0) {
    await cluster.end('broker-slave', 'SIGTERM')
    await cluster.restart('broker-slave', slaveKeys)
  }
  const clients = opened.use(new Clients(cluster))
  await until('a topic', async () => {
    await cluster.api.createTopic({ name: TOPIC, type: 'FIFO', queues: 1 })
    return true
  })
  await cluster.api.fetch('/api/v1/groups', { name: GROUP, orderly: true })
  const producer = await clients.producer(TOPIC)
  const holder = await clients.simple(GROUP, TOPIC)
  const other = await clients.simple(GROUP, TOPIC, '*', 2_000)
  for (const body of ['0', '1', '2'])
    await producer.send({ topic: TOPIC, body: Buffer.from(body), messageGroup: 'g' })
  const [first] = await until('the first message', async () => received(await holder.receive(1, LONG_MS)))
  const ackedAt = Date.now()
  await holder.ack(first)
  await until(
    'the slave to know that',
    async () => ((await cluster.api.member('broker-a-1')).metadataSync?.lastSuccessAt ?? 0) > ackedAt,
  )
  const askedAt = performance.now()
  const [held] = await until('the next message', async () => received(await holder.receive(1, invisibleMs)))
  await cluster.end('broker-master', 'SIGKILL')
  await cluster.lines.line(['serving token granted', 'holder=broker-a-1'])
  const resources = opened.move()
  return { holder, held, other, askedAt, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function received(messages: readonly MessageView[]): readonly [MessageView] | undefined {
  const [message] = messages
  return message && [message]
}

describe.concurrent('rule 5.8: the master is lost while a consumer has a message in order', () => {
  test('nobody gets it, nor the next one, from the slave, until the one who has it acknowledges', async ({
    expect,
  }) => {
    await using lost = await lostWhileHeld(LONG_MS)
    const { holder, held, other } = lost
    expect(held.body.toString()).toBe('1')
    expect(await other.receive(1, LONG_MS)).toEqual([])
    await holder.ack(held)
    const [next] = await until('the next message', async () => received(await other.receive(1, LONG_MS)))
    expect(next.body.toString()).toBe('2')
  })

  test('it comes again when its time is over, and not before', async ({ expect }) => {
    const invisibleMs = 12_000
    await using lost = await lostWhileHeld(invisibleMs)
    const { other, askedAt } = lost
    const [again] = await until('the message', async () => received(await other.receive(1, LONG_MS)))
    expect(again.body.toString()).toBe('1')
    expect(performance.now() - askedAt).toBeGreaterThan(invisibleMs)
  })

  test('with no slave that watches it comes again at once', async ({ expect }) => {
    await using lost = await lostWhileHeld(LONG_MS, [
      'slaveMetadataWatch=false',
      'slaveMetadataPullInterval=8000',
    ])
    const [again] = await until('the message', async () => received(await lost.other.receive(1, LONG_MS)))
    expect(again.body.toString()).toBe('1')
    expect(again.deliveryAttempt, 'of the first delivery nobody knows').toBe(1)
  })
})
