import { Clients, until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { apacheServesAll } from './apache-sees.test-kit.ts'
import { readLog } from './log-file-records.ts'
import { OurBroker } from './our-broker.ts'
import { RunDirectory } from './run-directory.test-kit.ts'

const BIG = 200_000

test('one store, served and written in turns: ours, Apache, ours, Apache', async (context) => {
  const run = new RunDirectory(context)
  const store = run.join('store')
  const ours = (keys = {}): Promise<OurBroker> =>
    OurBroker.start({ role: 'master', store, home: run.home('ours'), keys })
  const apache = (): Promise<ApacheBroker> => ApacheBroker.start({ store, home: run.home('apache') })
  await using client = await ApacheClient.start(run.home('client'))

  {
    await using broker = await ours({ createLog: true })
    expect(await sendAllKinds(broker, 'first')).toBe(70)
    await broker.stop()
    expect(broker.complaints()).toEqual([])
  }
  const first = readLog(store)
  expect(first.end).toBeGreaterThan(2 ** 20)
  {
    await using broker = await apache()
    expect(await apacheServesAll(client, broker, store)).toBe(69)
    await apacheSends(client, broker)
    expect(await apacheServesAll(client, broker, store)).toBeGreaterThan(69 + 30)
    await broker.stop()
    expect(broker.complaints()).toEqual([])
  }
  const second = readLog(store)
  expect(second.bytes.subarray(0, first.bytes.length).equals(first.bytes)).toBe(true)
  {
    await using broker = await ours()
    const bodies = await consumed(
      broker,
      'Orders',
      second.records.filter(({ topic }) => topic === 'Orders').length,
    )
    const written = second.records
      .filter(({ topic }) => topic === 'Orders')
      .map(({ body }) => body.toString('base64'))
    expect(bodies.toSorted()).toEqual(written.toSorted())
    expect(await sendAllKinds(broker, 'second')).toBe(70)
    await broker.stop()
    // Apache's topics and groups are an edit of ours: said, and taken over.
    expect(
      broker.complaints().filter((line) => !line.includes('an edited config file was taken over')),
    ).toEqual([])
  }
  const third = readLog(store)
  expect(third.bytes.subarray(0, second.bytes.length).equals(second.bytes)).toBe(true)
  await using broker = await apache()
  expect(await apacheServesAll(client, broker, store)).toBeGreaterThan(2 * 69 + 30)
  expect(broker.complaints()).toEqual([])
})

/** Through the official client: tags, keys, properties, bodies of all sizes, FIFO groups, a timer. */
async function sendAllKinds(broker: OurBroker, name: string): Promise<number> {
  await using clients = new Clients(broker)
  const producer = await clients.producer(['Orders', 'Fifo', 'Late'])
  let sent = 0
  const send = async (message: Parameters<typeof producer.send>[0]): Promise<void> => {
    await producer.send(message)
    sent += 1
  }
  for (let n = 0; n < 30; n += 1) {
    const properties = new Map([
      ['colour', '蓝'],
      ['empty ', ' '],
    ])
    const keys = [`${name}-${n}`, 'shared']
    await send({
      topic: 'Orders',
      tag: `tag${n % 3}`,
      keys,
      properties,
      body: Buffer.from(`你好 ${name} ${n}`),
    })
    await send({ topic: 'Fifo', messageGroup: `g${n % 2}`, body: Buffer.from(`${name} ${n}`) })
  }
  for (let n = 0; n < 8; n += 1) await send({ topic: 'Orders', body: Buffer.alloc(BIG, `${name} ${n}`) })
  await send({ topic: 'Orders', body: Buffer.from([0]) })
  const deliveryTimestamp = new Date(Date.now() + 3_600_000)
  await send({ topic: 'Late', deliveryTimestamp, body: Buffer.from(`${name} late`) })
  return sent
}

/** Through Apache's client: into our topics and one of its own, with everything it knows. */
async function apacheSends(client: ApacheClient, { address }: ApacheBroker): Promise<void> {
  for (let n = 0; n < 12; n += 1) {
    const body = Buffer.from(`apache ${n}`)
    const properties = { TAGS: `tag${n % 3}`, KEYS: `a-${n} shared`, colour: '蓝' }
    for (const topic of ['Orders', 'FromApache']) {
      const sent = await client.send(address, topic, { body, queueId: n % 2, flag: n, properties })
      expect(sent.status).toBe('SEND_OK')
    }
  }
  for (let n = 0; n < 6; n += 1)
    await client.send(address, 'Orders', { body: Buffer.alloc(BIG, `apache ${n}`) })
  await client.batch(
    address,
    'Orders',
    ['a', 'b', 'c'].map((text) => Buffer.from(text)),
  )
  await client.transaction(address, 'Orders', { body: Buffer.from('committed') }, 'commit')
  await client.transaction(address, 'Orders', { body: Buffer.from('rolled back') }, 'rollback')
  await client.send(address, 'Orders', { body: Buffer.from('delayed'), properties: { DELAY: '18' } })
  const shared = await until('the index', async () => {
    const found = await client.byKey(address, 'FromApache', 'shared')
    return found.length === 12 && found
  })
  expect(shared.map(({ keys }) => keys)).toContain('a-11 shared')
}

/** The bodies of a topic as a new consumer group gets them, base64. */
async function consumed(broker: OurBroker, topic: string, count: number): Promise<readonly string[]> {
  await using clients = new Clients(broker)
  const consumer = await clients.simple('reader', topic)
  const bodies: string[] = []
  while (bodies.length < count) {
    for (const message of await consumer.receive(16, 30_000)) {
      bodies.push(message.body.toString('base64'))
      await consumer.ack(message)
    }
  }
  return bodies
}
