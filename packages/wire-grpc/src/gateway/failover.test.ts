import { silentLogger, silentMeter } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView, SetServing } from '@tandemmq/registry'
import { Producer, SimpleConsumer } from 'rocketmq-client-nodejs'
import { expect, test } from 'vitest'
import { BrokerCalls } from '../client-api/broker-calls.ts'
import { ClientEdge } from '../edge/client-edge.ts'
import { clientService } from '../edge/client-service.ts'
import type { RouteCatalog } from '../edge/route-catalog.ts'
import { addForwardService } from '../forward/forward-service.ts'
import { ForwardChannels } from '../forward/forward-channels.ts'
import { guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { MemoryMessaging } from '../memory-messaging.test-support.ts'
import { Gateway } from './gateway.ts'

const ports = { clock: realClock, logger: silentLogger }
const logger = { info() {}, warn() {}, error() {}, debug() {} }

/** A broker's process: its semantics in memory, its forward stream real. */
async function brokerProcess() {
  const api = new MemoryMessaging({ clock: realClock, topics: ['Orders'] })
  const calls = new BrokerCalls({ api, clock: realClock })
  const { server, address } = await serve((grpc) => addForwardService(grpc, calls, guardOf(), ports))
  return { api, address, server }
}

/** What the registry says of the one set. */
function registryView() {
  const listeners = new Set<(changed: SetServing) => void>()
  let said: SetServing = { cluster: 'DefaultCluster', set: 'broker-a', members: [] }
  const view: ServingView = {
    get sets() {
      return [said]
    },
    set: () => said,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const says = (
    broker: { readonly api: MemoryMessaging; readonly address: string },
    epoch: number,
    writable: boolean,
  ) => {
    const { address: grpcAddress } = broker
    broker.api.servingEpoch = epoch
    said = {
      cluster: 'DefaultCluster',
      set: 'broker-a',
      members: [],
      serving: { epoch, identity: grpcAddress, grpcAddress, suspect: false },
      ...(writable && { writable: { identity: grpcAddress, grpcAddress, logEpoch: 1, diskFull: false } }),
    }
    for (const listener of listeners) listener(said)
  }
  return { view, says }
}

test('the official client goes on receiving and acknowledging when the broker it polls is gone', async () => {
  const [master, slave] = [await brokerProcess(), await brokerProcess()]
  const { view, says } = registryView()
  const channels = new ForwardChannels({}, { ...ports, secret: secretOf('gateway') })
  const placement = { set: 'broker-a', readQueues: 1, writeQueues: 1, perm: 6, type: 'NORMAL' } as const
  const catalog: RouteCatalog = {
    topic: (name) => (name === 'Orders' ? [placement] : []),
    group: () => undefined,
    createTopic: async () => [],
  }
  const gateway = new Gateway({ view, channels, catalog, ...ports, meter: silentMeter })
  const edge = new ClientEdge({ target: gateway, presence: gateway.presence, catalog, ...ports })
  const { definition, implementation } = clientService(edge, realClock, () => {})
  const { address } = await serve((grpc) => grpc.add(definition, implementation))
  says(master, 10, true)

  const connection = { endpoints: address, namespace: '', logger }
  const producer = new Producer({ ...connection, topic: 'Orders', maxAttempts: 1 })
  await producer.startup()
  const consumer = new SimpleConsumer({
    ...connection,
    consumerGroup: 'g',
    awaitDuration: 20_000,
    subscriptions: new Map([['Orders', '*']]),
  })
  await consumer.startup()
  await producer.send({ topic: 'Orders', body: Buffer.from('first') })
  const [first] = await consumer.receive(8, 15_000)
  expect(first?.body.toString()).toBe('first')

  const receiving = consumer.receive(8, 15_000)
  await until(() => master.api.polls === 1)
  await master.server.close()
  says(slave, 11, false)
  await until(() => slave.api.polls === 1)
  await slave.api.send(stored('second'), direct)
  const [second] = await receiving
  expect(second?.body.toString()).toBe('second')
  if (!first || !second) throw new Error('two messages were expected')
  await consumer.ack(first) // Delivered by the master, acknowledged at the slave.
  await consumer.ack(second)
  expect(slave.api.acked).toHaveLength(2)
  await expect(producer.send({ topic: 'Orders', body: Buffer.from('third') })).rejects.toThrow(
    /nothing was stored/,
  )

  await consumer.shutdown()
  await producer.shutdown()
  await until(() => edge.streamCount === 0)
  edge.close()
  gateway.close()
  channels.close()
  await slave.server.close()
}, 30_000)

const direct: CallContext = {
  clientId: 'replication',
  peer: { ip: '10.0.0.1', port: 1 },
  language: '',
  clientVersion: '',
  signal: new AbortController().signal,
}

function stored(text: string) {
  return {
    topic: 'Orders',
    messageId: text,
    type: 'NORMAL' as const,
    body: Buffer.from(text),
    keys: [],
    userProperties: new Map<string, string>(),
    bornTimestamp: 0,
    bornHost: { ip: '10.0.0.1', port: 1 },
    compressed: false,
  }
}
