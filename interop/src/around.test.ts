import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { CuttableWay } from './cuttable-way.ts'
import { LocalCluster } from './local-cluster.ts'
import { received, textsOf } from './receiving.ts'
import { until } from './until.ts'

const TOPIC = 'Around'

test('rule 4.7: the master is back and does not reach the slave that serves: it gets serving through metadata-rpc, new messages come at once and acknowledged ones not again', async () => {
  await using cluster = await LocalCluster.start(['--replication', 'async'])
  const { ha = '', grpc = '' } = cluster.ready.services['broker-master'] ?? {}
  using haWay = await CuttableWay.to(ha)
  using grpcWay = await CuttableWay.to(grpc)
  await cluster.end('broker-slave', 'SIGTERM')
  await cluster.restart('broker-slave', [
    `haMasterAddress=${haWay.address}`,
    `masterGrpcAddress=${grpcWay.address}`,
  ])
  await using clients = new Clients(cluster)
  const producer = await clients.producer(TOPIC)
  const consumer = await clients.simple('around', TOPIC)
  for (const body of ['one', 'two', 'three', 'four']) {
    await producer.send({ topic: TOPIC, body: Buffer.from(body) })
  }
  await copied(cluster)

  await cluster.end('broker-master')
  await cluster.lines.line(['serving token granted', 'holder=broker-a-1'])
  const fromSlave = await received(consumer, 4)
  const [kept, ...rest] = fromSlave
  if (kept === undefined) throw new Error('nothing was received')
  for (const message of rest) await consumer.ack(message)

  haWay.cut()
  grpcWay.cut()
  await cluster.restart('broker-master')
  await producer.send({ topic: TOPIC, body: Buffer.from('new') })
  await cluster.lines.line(['handed serving back to the master', '"route":"around"'])
  const fromMaster = await received(consumer, 1)
  expect(textsOf(fromMaster)).toEqual(['new'])
  for (const message of [...fromMaster, kept]) await consumer.ack(message)

  haWay.heal()
  grpcWay.heal()
  await copied(cluster)
  await producer.send({ topic: TOPIC, body: Buffer.from('last') })
  expect(textsOf(await received(consumer, 1))).toEqual(['last'])
})

/** The slave has all of the master's log. */
async function copied(cluster: LocalCluster): Promise<void> {
  await until('the slave has copied all', async () => {
    const [master, slave] = [await cluster.api.member('broker-a-0'), await cluster.api.member('broker-a-1')]
    return slave.masterConnected === true && slave.end === master.end && slave.dispatched === master.end
  })
}
