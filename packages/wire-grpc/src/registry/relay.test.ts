import { Client, credentials, status as grpcStatus } from '@grpc/grpc-js'
import { silentLogger } from '@tandemmq/base'
import {
  noDetails,
  RefusingRegistry,
  Registration,
  Registry,
  RegistryRelay,
  type MemberHello,
  type MemberReport,
} from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { RecordingLogger } from '@tandemmq/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { countingRandom, guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { GrpcServer } from '../server.ts'
import { GrpcRegistryLink } from './grpc-registry-link.ts'
import { addRegistryService } from './registry-service.ts'

const ports = { clock: realClock, random: countingRandom, logger: silentLogger }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** `port`: 0 for any free one. */
async function grantor(port = 0): Promise<{ registry: Registry; server: GrpcServer; address: string }> {
  const registry = new Registry({}, ports)
  const server = new GrpcServer(ports)
  addRegistryService(server, registry, guardOf(), ports)
  const bound = await server.listen({ host: '127.0.0.1', port })
  cleanups.push(
    () => server.close(),
    () => registry.close(),
  )
  return { registry, server, address: `127.0.0.1:${bound.port}` }
}

function relayOf(
  address: string,
  { cluster = 'DefaultCluster', secret = secretOf('relay'), logger = new RecordingLogger() } = {},
): RegistryRelay {
  const link = new GrpcRegistryLink(address, secret)
  const relay = RegistryRelay.start({ cluster, identity: 'relay' }, { ...ports, logger }, link)
  cleanups.push(() => relay.close())
  return relay
}

function broker(identity: string, address: string): Registration {
  const role = identity.includes('master') ? 'master' : 'slave'
  const hello: Omit<MemberHello, 'seenServingEpoch'> = {
    cluster: 'DefaultCluster',
    set: 'broker-a',
    identity,
    instanceId: `${identity}-1`,
    role,
    grpcAddress: '127.0.0.1:8081',
    haAddress: '127.0.0.1:10912',
    logId: 'a'.repeat(32),
    lastEpoch: 3,
    end: 42,
    totalReplicas: 2,
    inSyncReplicas: 1,
  }
  const positions = { logId: hello.logId, lastEpoch: 3, end: 42, flushed: 41, confirmed: 40, dispatched: 39 }
  const replica = {
    identity: 'a-slave',
    address: '127.0.0.1:1',
    state: 'in sync',
    sent: 1,
    received: 2,
    flushed: 3,
    dispatched: 4,
    lagBytes: 5,
    lagMs: 6,
    heardAgoMs: 7,
    connects: 8,
    refusals: new Map([['why', 1]]),
    ackLatency: { count: 1, p50Ms: 1, p99Ms: 2, maxMs: 3 },
    verification: { verifiedTo: 1, comparedBytes: 2, skippedBytes: 3, mismatches: [], found: 0 },
    problem: '',
  }
  const registration = Registration.start({}, ports, new GrpcRegistryLink(address, secretOf(identity)), {
    hello: () => hello,
    status: () => ({
      ...positions,
      writable: role === 'master',
      diskFull: false,
      ...(role === 'slave' && { masterConnected: true }),
      details: { ...noDetails, okMeans: 'appended', problems: ['one'], replicas: [replica] },
    }),
  })
  cleanups.push(() => registration.close())
  return registration
}

function timeless(reports: readonly MemberReport[]): readonly MemberReport[] {
  return reports.map((report) => ({ ...report, heardAgoMs: 0 }))
}

test('a relay shows what the registry that it follows shows, positions and words included', async () => {
  const { registry, address } = await grantor()
  const master = broker('a-master', address)
  broker('a-slave', address)
  const relay = relayOf(address)
  const changes: (string | undefined)[] = []
  relay.view.onChange(({ serving }) => changes.push(serving?.identity))
  await until(() => master.mayServe() && relay.view.set('broker-a')?.serving !== undefined)
  await until(() => relay.report('broker-a').every(({ details }) => details?.okMeans === 'appended'))
  expect(relay.view.sets).toEqual(registry.view.sets)
  expect(timeless(relay.report('broker-a'))).toEqual(timeless(registry.report('broker-a')))
  expect(relay.trouble).toBeUndefined()

  master.close()
  await until(() => relay.view.set('broker-a')?.serving?.identity === 'a-slave')
  expect(changes.at(-1)).toBe('a-slave')
})

test('a relay that is there before its grantor hears it as soon as that listens, and again after a restart', async () => {
  const first = await grantor()
  await first.server.close()
  const relay = relayOf(first.address)
  await until(() => relay.trouble?.code === 'UNAVAILABLE')
  expect(relay.view.sets).toEqual([])
  const again = await grantor(Number(first.address.split(':')[1]))
  await relay.heard
  broker('a-master', again.address)
  await until(() => relay.view.set('broker-a')?.writable !== undefined)

  await again.server.close()
  await until(() => relay.trouble !== undefined)
  expect(relay.view.set('broker-a')?.writable).toMatchObject({ identity: 'a-master' })
  await grantor(Number(first.address.split(':')[1]))
  await until(() => relay.trouble === undefined)
})

describe('refused is', () => {
  test.each([
    [
      'a relay of another cluster',
      { cluster: 'Other' },
      'this registry keeps cluster DefaultCluster, not Other',
    ],
    [
      'a relay that does not know the secret',
      { secret: secretOf('relay', Buffer.from('guess')) },
      'relay does not know the secret of this set',
    ],
    [
      'a relay that calls itself by another name than it signs with',
      { secret: secretOf('somebody') },
      'somebody cannot register as relay',
    ],
  ])('%s, in words, once', async (_who, given, message) => {
    const { address } = await grantor()
    const logger = new RecordingLogger()
    const relay = relayOf(address, { ...given, logger })
    await until(() => relay.trouble?.code === 'PEER_REFUSED')
    expect(relay.trouble).toMatchObject({ message })
    const failures = relay.trouble
    await until(() => relay.trouble !== failures) // Tried again meanwhile.
    expect(logger.messages('warn')).toEqual(['the grantor refuses this relay'])
    expect(relay.view.sets).toEqual([])
  })

  test('whoever takes a relay for the grantor: a broker, and another relay', async () => {
    const { address } = await serve((server) =>
      addRegistryService(server, new RefusingRegistry('metadata-rpc:8081'), guardOf(), ports),
    )
    const master = broker('a-master', address)
    const relay = relayOf(address)
    await until(() => master.refusal !== undefined && relay.trouble?.code === 'PEER_REFUSED')
    expect(master.refusal).toMatchObject({
      code: 'PEER_REFUSED',
      message: 'this metadata-rpc is a relay and registers nobody: the registry is at metadata-rpc:8081',
    })
    expect(relay.trouble).toMatchObject({
      message:
        'this metadata-rpc is a relay and cannot be followed: it follows the grantor at metadata-rpc:8081',
    })
  })

  test('a grantor that does not know the secret: nothing that it says counts', async () => {
    const registry = new Registry({}, ports)
    const guess = Buffer.from('guess')
    const guard = {
      check: () => guardOf(guess).check('follow', secretOf('relay', guess).sign('follow').metadata),
    }
    const { address } = await serve((server) =>
      addRegistryService(server, registry, Object.assign(guardOf(), guard), ports),
    )
    const relay = relayOf(address)
    await until(() => relay.trouble?.code === 'PEER_REFUSED')
    expect(relay.trouble).toMatchObject({ message: 'the peer does not know the secret of this set' })
    expect(relay.view.sets).toEqual([])
  })

  test('garbage on the stream of a relay: that stream ends, and nothing else', async () => {
    const { address } = await grantor()
    const relay = relayOf(address)
    await relay.heard
    const raw = new Client(address, credentials.createInsecure())
    cleanups.push(() => raw.close())
    const say = (...messages: readonly Buffer[]): Promise<unknown> =>
      new Promise((resolve) => {
        const { metadata } = secretOf('x').sign('follow')
        const call = raw.makeBidiStreamRequest(wire.RegistryService.follow.path, asIs, asIs, metadata)
        call.on('error', resolve)
        call.on('data', () => {})
        for (const bytes of messages) call.write(bytes)
      })
    const hello = wire.RelayMessage.encode({
      message: { $case: 'hello', value: { cluster: 'DefaultCluster', identity: 'x' } },
    }).finish()
    expect(await say(Buffer.from('ffffffffffff', 'hex'))).toMatchObject({ code: grpcStatus.INTERNAL })
    expect(await say(Buffer.alloc(0))).toMatchObject({ code: grpcStatus.INVALID_ARGUMENT })
    expect(await say(relayStatus(1, 1))).toMatchObject({ code: grpcStatus.INVALID_ARGUMENT })
    expect(await say(Buffer.from(hello), relayStatus(-1, 0))).toMatchObject({
      code: grpcStatus.INVALID_ARGUMENT,
    })
    expect(await say(Buffer.from(hello), Buffer.from(hello))).toMatchObject({
      code: grpcStatus.INVALID_ARGUMENT,
    })
    expect(relay.trouble).toBeUndefined()
  })
})

function asIs(bytes: Buffer): Buffer {
  return bytes
}

function relayStatus(sequence: number, taken: number): Buffer {
  const message = { $case: 'status', value: { sequence, taken } } as const
  return Buffer.from(wire.RelayMessage.encode({ message }).finish())
}
