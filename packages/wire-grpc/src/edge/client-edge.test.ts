import { credentials, Metadata, status as GrpcStatus, type ServiceError } from '@grpc/grpc-js'
import { silentLogger } from '@tandemmq/base'
import { rocketmq } from '@tandemmq/rpc'
import { afterEach, describe, expect, test } from 'vitest'
import { BrokerCalls } from '../client-api/broker-calls.ts'
import { receiveRequest } from '../gateway/cluster.test-support.ts'
import { realClock, serve, until } from '../loopback.test-support.ts'
import { MemoryMessaging } from '../memory-messaging.test-support.ts'
import { ClientEdge } from './client-edge.ts'
import { clientService } from './client-service.ts'
import { endpointsOf } from './endpoints.ts'
import type { RouteCatalog } from './route-catalog.ts'

const { AddressScheme, ClientType, Code } = rocketmq

let stop: (() => Promise<void>) | undefined

afterEach(async () => {
  await stop?.()
  stop = undefined
})

/** An edge before one broker, on a real port, and a client of the generated kind. */
async function start() {
  const made: string[] = []
  const api = new MemoryMessaging({ clock: realClock, topics: ['Orders', 'Made'] })
  const broker = new BrokerCalls({ api, clock: realClock })
  const placement = { set: 'broker-a', readQueues: 2, writeQueues: 2, perm: 6, type: 'MIXED' } as const
  const catalog: RouteCatalog = {
    topic: (name) => (name === 'Orders' || made.includes(name) ? [placement] : []),
    group: () => ({ orderly: false, retryMaxTimes: 3 }),
    createTopic: async (name) => {
      if (name !== 'Made') return []
      made.push(name)
      return [placement]
    },
  }
  const edge = new ClientEdge({
    target: broker,
    presence: broker.presence,
    catalog,
    clock: realClock,
    logger: silentLogger,
  })
  const { definition, implementation } = clientService(edge, realClock, () => {})
  const { server, address } = await serve((grpc) => grpc.add(definition, implementation))
  const client = new rocketmq.MessagingServiceClient(address, credentials.createInsecure())
  stop = async () => {
    client.close()
    edge.close()
    broker.close()
    await server.close()
  }
  return { api, edge, client, made }
}

function headers(clientId = 'client@1', language = 'JAVA'): Metadata {
  const metadata = new Metadata()
  metadata.set('x-mq-client-id', clientId)
  metadata.set('x-mq-language', language)
  metadata.set('x-mq-client-version', '5.0.8')
  return metadata
}

function settingsOf(clientType: rocketmq.ClientType): rocketmq.TelemetryCommand {
  const subscription = rocketmq.Subscription.create({ group: { resourceNamespace: '', name: 'group' } })
  const value = rocketmq.Settings.create({
    clientType,
    pubSub: { $case: 'subscription', value: subscription },
  })
  return { status: undefined, command: { $case: 'settings', value } }
}

describe('Telemetry', () => {
  test('headers come at once, settings are answered, a half-close is answered with the end', async () => {
    const { edge, client } = await start()
    const stream = client.telemetry(headers('client@1', 'PYTHON'))
    await new Promise((resolve) => stream.once('metadata', resolve))
    const commands: rocketmq.TelemetryCommand[] = []
    stream.on('data', (command: rocketmq.TelemetryCommand) => commands.push(command))
    stream.write(settingsOf(ClientType.PUSH_CONSUMER))
    await until(() => commands.length > 0)
    expect(commands[0]?.status?.code).toBe(Code.OK)
    const settings = commands[0]?.command?.$case === 'settings' ? commands[0].command.value : undefined
    expect(settings?.backoffPolicy?.maxAttempts).toBe(4)
    expect(settings?.backoffPolicy?.strategy?.$case).toBe('customizedBackoff')
    const ended = new Promise((resolve) => stream.once('end', resolve))
    stream.end()
    await ended
    expect(edge.streamCount).toBe(0)
    expect(edge.clientCount).toBe(1) // Its settings outlive the stream.
  })

  test('settings without a side end the stream with INVALID_ARGUMENT', async () => {
    const { client } = await start()
    const stream = client.telemetry(headers())
    const failed = new Promise<ServiceError>((resolve) => stream.once('error', resolve))
    stream.on('data', () => {})
    stream.write({ status: undefined, command: { $case: 'settings', value: rocketmq.Settings.create() } })
    expect(await failed).toMatchObject({
      code: GrpcStatus.INVALID_ARGUMENT,
      details: 'there is no publishing or subscription data in settings',
    })
  })

  test('without a client id the one answer is a status', async () => {
    const { client } = await start()
    const stream = client.telemetry()
    const ended = new Promise((resolve) => stream.once('end', resolve))
    const command = await new Promise<rocketmq.TelemetryCommand>((resolve) => stream.once('data', resolve))
    await ended
    expect(command.status?.code).toBe(Code.CLIENT_ID_REQUIRED)
  })
})

describe('what the edge answers itself', () => {
  test('a topic that a client asks for comes to be where that is wanted', async () => {
    const { client, made } = await start()
    const ask = (name: string) =>
      new Promise<rocketmq.QueryRouteResponse>((resolve, reject) => {
        const request = {
          topic: { resourceNamespace: 'ns', name },
          endpoints: endpointsOf('proxy.example:8081'),
        }
        client.queryRoute(request, headers(), (error, response) =>
          error ? reject(error) : resolve(response),
        )
      })
    const route = await ask('Made')
    expect(made).toEqual(['Made'])
    expect(route.messageQueues.map(({ id }) => id)).toEqual([0, 1])
    expect(route.messageQueues[0]).toMatchObject({
      topic: { resourceNamespace: 'ns', name: 'Made' },
      broker: {
        name: 'broker-a',
        id: 0,
        endpoints: { scheme: AddressScheme.DOMAIN_NAME, addresses: [{ host: 'proxy.example', port: 8081 }] },
      },
    })
    expect((await ask('Nowhere')).status?.code).toBe(Code.TOPIC_NOT_FOUND)
  })

  test('heartbeats of a push consumer keep it alive at the broker, its termination is passed on', async () => {
    const { api, client } = await start()
    const group = { resourceNamespace: '', name: 'group' }
    await new Promise((resolve) => {
      client.heartbeat({ group, clientType: ClientType.PUSH_CONSUMER }, headers(), resolve)
    })
    await new Promise((resolve) => client.notifyClientTermination({ group: undefined }, headers(), resolve))
    expect(api.goneClients).toEqual(['group/client@1'])
  })

  test('methods that Apache does not offer either are UNIMPLEMENTED', async () => {
    const { client } = await start()
    const request = { group: undefined, messageQueue: undefined }
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.getOffset(request, headers(), resolve),
    )
    expect(error?.code).toBe(GrpcStatus.UNIMPLEMENTED)
  })
})

test('messages that were written but never reached their client are given back', async () => {
  const { api, client } = await start()
  await api.send(
    {
      topic: 'Orders',
      messageId: 'big',
      type: 'NORMAL',
      body: Buffer.alloc(3_000_000, 1),
      keys: [],
      userProperties: new Map(),
      bornTimestamp: 0,
      bornHost: { ip: '10.0.0.1', port: 1 },
      compressed: false,
    },
    {
      clientId: 'p',
      peer: { ip: '10.0.0.1', port: 1 },
      language: '',
      clientVersion: '',
      signal: new AbortController().signal,
    },
  )
  // Nothing is read: the message does not fit into the window of the stream.
  const request = rocketmq.ReceiveMessageRequest.decode(receiveRequest('Orders', 'broker-a'))
  const stream = client.receiveMessage(request, headers())
  stream.on('error', () => {})
  await until(() => api.contexts.length === 2)
  await new Promise((resolve) => setImmediate(resolve))
  expect(api.nacked).toEqual([])
  stream.cancel()
  await until(() => api.nacked.length > 0)
  expect(api.nacked).toEqual([{ messageId: 'big', invisibleMs: 1_000 }])
})

test('a client id that nobody could have made is refused, on calls and on Telemetry', async () => {
  const { edge, client } = await start()
  const long = headers('x'.repeat(256))
  const answer = await new Promise<rocketmq.HeartbeatResponse>((resolve, reject) => {
    client.heartbeat(rocketmq.HeartbeatRequest.create({}), long, (error, response) => {
      if (error) reject(error)
      else resolve(response)
    })
  })
  expect(answer.status).toMatchObject({ code: Code.BAD_REQUEST, message: expect.stringContaining('255') })
  const stream = client.telemetry(long)
  const told = await new Promise<rocketmq.TelemetryCommand>((resolve) => stream.once('data', resolve))
  expect(told.status).toMatchObject({ code: Code.BAD_REQUEST })
  await new Promise((resolve) => stream.once('end', resolve))
  expect(edge.clientCount).toBe(0)
})
