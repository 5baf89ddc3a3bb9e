import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { received, textsOf } from './receiving.ts'

const TOPIC = 'Served'
/** Long enough for the master to be dead before it is over, whatever else the machine does. */
const DELAY_MS = 8_000

test('rule 5.6: delayed messages are due while the master is dead: they come from the slave and are acknowledged there, and once only when it is back', async () => {
  await using cluster = await LocalCluster.start(['--replication', 'sync'])
  await using clients = new Clients(cluster)
  const producer = await clients.producer(TOPIC)
  const consumer = await clients.simple('served', TOPIC)
  const other = await clients.simple('other', TOPIC)
  const bodies = ['one', 'two', 'three']
  const deliveryTimestamp = new Date(Date.now() + DELAY_MS)
  for (const body of bodies) await producer.send({ topic: TOPIC, body: Buffer.from(body), deliveryTimestamp })

  await cluster.end('broker-master')
  await cluster.lines.line(['serving token granted', 'holder=broker-a-1'])
  const fromSlave = await received(consumer, 3)
  expect(textsOf(fromSlave)).toEqual(bodies.toSorted())
  expect(Date.now()).toBeGreaterThanOrEqual(deliveryTimestamp.getTime())
  const [kept, ...rest] = fromSlave
  if (kept === undefined) throw new Error('nothing was received')
  for (const message of rest) await consumer.ack(message)

  await cluster.restart('broker-master')
  await cluster.lines.line(['handed serving back to the master'])
  // A group that slept meanwhile gets what the master has put into the topic, each of them once.
  const fromMaster = await received(other, 3)
  expect(textsOf(fromMaster)).toEqual(bodies.toSorted())
  for (const message of fromMaster) await other.ack(message)
  await consumer.ack(kept)
  await producer.send({ topic: TOPIC, body: Buffer.from('last') })
  for (const group of [consumer, other]) expect(textsOf(await received(group, 1))).toEqual(['last'])
})
