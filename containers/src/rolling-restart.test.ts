import { Clients, until } from '@tandemmq/interop'
import { ConsumeResult } from 'rocketmq-client-nodejs'
import { expect, test } from 'vitest'
import { ContainerCluster } from './container-cluster.ts'
import { keepLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load } from './load.ts'
import { RollingClient } from './rolling-client.ts'
import { GATEWAYS, GRPC_PORT, type ServiceName } from './service-plan.ts'

test('a clean rolling restart: no receive fails while brokers restart, and a push consumer never hears of any', async (context) => {
  await using cluster = await ContainerCluster.start({ replication: 'sync' })
  keepLogsOnFailure(context, cluster)
  const clients = new Clients(cluster)
  const restart = async (name: ServiceName): Promise<void> => {
    expect(await cluster.service(name).stop()).toBe(0)
    await cluster.service(name).startAgain()
    await cluster.ready()
    await cluster.servedBy('broker-a-0')
  }

  await using load = await Load.start(cluster, 'Rolling')
  await load.accepts(20)
  // An exception in a receive would end `accepts`, `consumes` and `complete`.
  await restart('broker-slave')
  await Promise.all([load.accepts(20), load.consumes(20)])
  await restart('broker-master')
  await Promise.all([load.accepts(20), load.consumes(20)])
  await load.stopSending()
  await load.complete()
  expect(load.work.repeats).toEqual([])
  for (const text of load.refusals) expect(text).toMatch(/nothing was stored|NOT_WRITABLE: this master stops/)

  // The one address of clients is away for a moment, and this client does not wait for it: a receive then fails at once.
  await using bearing = await Load.start(cluster, 'RollingGateway', { bearExceptions: true })
  const pushed = new Set<number>()
  await clients.push('RollingPush', 'RollingGateway', (message) => {
    pushed.add(Number(message.body.toString()))
    return Promise.resolve(ConsumeResult.SUCCESS)
  })
  await until('the push consumer to work', () => pushed.size >= 10)
  const from = cluster.lines.all.length
  await restart('metadata-rpc')
  await Promise.all([bearing.accepts(20), bearing.consumes(20)])
  const before = pushed.size
  await until('the push consumer to go on', () => pushed.size >= before + 20)
  await bearing.stopSending()
  await bearing.complete()
  // What it has fetched and not acknowledged, it would try to acknowledge for ever once the cluster is gone.
  await until('the push consumer to be through', () => pushed.size >= bearing.work.accepted)
  // What was under way was answered before; what failed never left the client.
  const { consumerFailures, sendFailures } = bearing.work
  for (const { message } of [...consumerFailures, ...sendFailures])
    expect(message).toMatch(/^14 UNAVAILABLE: No connection established/)
  // It took nobody's token when it left.
  const said = cluster.lines.all.slice(from).filter((line) => line.startsWith('metadata-rpc | '))
  const stop = said.findIndex((line) => line.includes('"stopping"'))
  const start = said.findIndex((line) => line.includes('metadata-rpc is up'))
  expect(said.slice(stop, start).filter((line) => line.includes('token'))).toEqual([])

  // A push consumer's shutdown waits for its polls, up to 20 s; they end when nobody is there any more.
  const shutdown = clients[Symbol.asyncDispose]()
  await Promise.all([load[Symbol.asyncDispose](), bearing[Symbol.asyncDispose]()])
  await cluster[Symbol.asyncDispose]()
  await shutdown
})

test('with two gateways under one name no receive of a simple consumer fails while any of the services restarts (rule 4.8)', async (context) => {
  await using cluster = await ContainerCluster.start({ replication: 'sync', relay: true })
  keepLogsOnFailure(context, cluster)
  await using client = await RollingClient.start(cluster.network, `${GATEWAYS}:${GRPC_PORT}`, cluster.lines)
  // Each gateway twice: whichever the client is at, it has to go to the other and back.
  const order = [
    'metadata-rpc',
    'metadata-rpc-2',
    'broker-slave',
    'broker-master',
    'metadata-rpc',
    'metadata-rpc-2',
  ] as const
  for (const name of order) {
    expect(await cluster.service(name).stop()).toBe(0)
    await cluster.service(name).startAgain()
    await cluster.ready()
    await cluster.servedBy('broker-a-0')
    await client.goesOn()
  }
  const { failures, accepted, consumed } = await client.finish()
  expect(failures.receive).toEqual([])
  expect(failures.ack.length, String(failures.ack)).toBeLessThanOrEqual(LATE_MAX)
  for (const text of failures.send) expect(text).toMatch(/nothing was stored|NOT_WRITABLE: this master stops/)
  expect(consumed).toBeGreaterThanOrEqual(accepted)
})
