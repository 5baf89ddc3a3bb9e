import { connect } from 'node:net'
import { Client, credentials, status as grpcStatus } from '@grpc/grpc-js'
import { silentLogger, type BrokerError, type Logger } from '@tandemmq/base'
import { noDetails, Registration, Registry, type MemberHello, type RegistryAnswer } from '@tandemmq/registry'
import { registry as wire } from '@tandemmq/rpc'
import { RecordingLogger } from '@tandemmq/testkit'
import { afterEach, expect, test } from 'vitest'
import { countingRandom, guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { GrpcServer } from '../server.ts'
import { GrpcRegistryLink } from './grpc-registry-link.ts'
import { addRegistryService } from './registry-service.ts'

const ports = { clock: realClock, random: countingRandom, logger: silentLogger }
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function registryOnPort(
  logger: Logger = silentLogger,
): Promise<{ registry: Registry; server: GrpcServer; address: string }> {
  const registry = new Registry({}, { ...ports, logger })
  const served = await serve((server) =>
    addRegistryService(server, registry, guardOf(), { ...ports, logger }),
  )
  cleanups.push(
    () => served.server.close(),
    () => registry.close(),
  )
  return { registry, ...served }
}

function helloOf(identity: string, fields: Partial<MemberHello> = {}): MemberHello {
  const role = identity.includes('master') ? 'master' : 'slave'
  return {
    cluster: 'DefaultCluster',
    set: 'broker-a',
    identity,
    instanceId: `${identity}-1`,
    role,
    grpcAddress: '127.0.0.1:8081',
    haAddress: '',
    logId: '',
    lastEpoch: 1,
    end: 42,
    totalReplicas: 2,
    inSyncReplicas: 1,
    seenServingEpoch: 0,
    ...fields,
  }
}

function broker(identity: string, address: string, isFull = false): Registration {
  const hello = helloOf(identity)
  const log = { logId: '', lastEpoch: 1, end: 42, flushed: 42, confirmed: 42, dispatched: 42 }
  const registration = Registration.start({}, ports, new GrpcRegistryLink(address, secretOf(identity)), {
    hello: () => hello,
    status: () => ({
      ...log,
      writable: hello.role === 'master',
      diskFull: isFull,
      details: { ...noDetails, okMeans: 'appended' },
    }),
  })
  cleanups.push(() => registration.close())
  return registration
}

test('brokers register, the master serves; its process goes away, the slave serves at once', async () => {
  const { registry, address } = await registryOnPort()
  const slave = broker('a-slave', address)
  const master = broker('a-master', address)
  await until(() => master.mayServe())
  expect(slave.mayServe()).toBe(false)
  expect(registry.view.set('broker-a')).toMatchObject({
    serving: { identity: 'a-master', epoch: master.servingEpoch, suspect: false },
    writable: { identity: 'a-master', logEpoch: 1 },
  })
  expect(registry.report('broker-a')[0]).toMatchObject({ end: 42, details: { okMeans: 'appended' } })
  expect(slave.answer?.members.map(({ identity, role, alive }) => `${identity} ${role} ${alive}`)).toEqual([
    'a-master master true',
    'a-slave slave true',
  ])

  const first = master.servingEpoch ?? 0
  master.close()
  await until(() => slave.mayServe())
  expect(slave.servingEpoch).toBeGreaterThan(first)
})

test('that the disk of a master is full reaches those who read the registry', async () => {
  const { registry, address } = await registryOnPort()
  broker('a-master', address, true)
  await until(() => registry.view.set('broker-a')?.writable !== undefined)
  expect(registry.view.set('broker-a')?.writable).toMatchObject({ identity: 'a-master', diskFull: true })
})

test('the registry dies and comes up again: all are back, the holder served on and nobody else did', async () => {
  const first = await registryOnPort()
  const master = broker('a-master', first.address)
  const slave = broker('a-slave', first.address)
  const served: string[] = []
  master.onServing((epoch) => served.push(`master ${epoch === undefined ? 'stops' : 'serves'}`))
  slave.onServing(() => served.push('slave serves'))
  await until(() => master.mayServe() && slave.isRegistered)
  const epoch = master.servingEpoch
  await first.server.close()
  await until(() => !master.isRegistered && !slave.isRegistered)

  const registry = new Registry({}, ports)
  const server = new GrpcServer({ clock: realClock, logger: silentLogger })
  addRegistryService(server, registry, guardOf(), ports)
  await server.listen({ host: '127.0.0.1', port: Number(first.address.split(':')[1]) })
  cleanups.push(
    () => server.close(),
    () => registry.close(),
  )
  await until(() => master.isRegistered && slave.isRegistered)
  expect(registry.view.set('broker-a')?.serving).toMatchObject({ identity: 'a-master', epoch })
  expect(master.servingEpoch).toBe(epoch)
  expect(served).toEqual(['master serves'])
})

function attempt(
  address: string,
  hello: MemberHello,
  secret = secretOf(hello.identity),
): Promise<BrokerError> {
  return new Promise((resolve) => {
    const session = new GrpcRegistryLink(address, secret).open(hello, () => {}, resolve)
    cleanups.push(() => session.close())
  })
}

test('one line tells of a registration that is refused: whose, from where, and why', async () => {
  const logger = new RecordingLogger()
  const { address } = await registryOnPort(logger)
  const master = broker('a-master', address)
  await until(() => master.isRegistered)
  const refusal = await attempt(address, helloOf('b-master'))
  expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([
    {
      level: 'warn',
      message: 'registration ended',
      facts: {
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        member: 'b-master',
        reason: 'second-master',
        why: refusal.message,
      },
    },
  ])
})

test('a broker that is refused again and again is told of in a few lines, until it is for another reason', async () => {
  const logger = new RecordingLogger()
  const { address } = await registryOnPort(logger)
  const master = broker('a-master', address)
  await until(() => master.isRegistered)
  for (let n = 0; n < 25; n += 1) await attempt(address, helloOf('b-master'))
  expect(logger.messages('warn').filter((message) => message === 'registration ended')).toHaveLength(10)
  await attempt(address, { ...helloOf('b-master'), cluster: 'Elsewhere' })
  expect(logger.lines.at(-1)).toMatchObject({ facts: { reason: 'wrong-cluster' } })
})

test('refusals reach the broker as sentences', async () => {
  const { address } = await registryOnPort()
  const master = broker('a-master', address)
  await until(() => master.isRegistered)
  expect(await attempt(address, helloOf('b-master'))).toMatchObject({
    code: 'PEER_REFUSED',
    message: expect.stringContaining('follows master a-master'),
  })
  expect(await attempt(address, helloOf('a-slave', { set: '..' }))).toMatchObject({
    code: 'PROTOCOL_VIOLATION',
  })
  expect(await attempt(address, helloOf('a-slave'), secretOf('someone-else'))).toMatchObject({
    code: 'PEER_REFUSED',
    message: 'someone-else cannot register as a-slave',
  })
  const guess = secretOf('a-slave', Buffer.from('guess'))
  expect(await attempt(address, helloOf('a-slave'), guess)).toMatchObject({
    code: 'PEER_REFUSED',
    message: 'a-slave does not know the secret of this set',
  })
})

test('a registry that does not know the secret is left before its answers count', async () => {
  const registry = new Registry({}, ports)
  const guard = {
    check: () =>
      guardOf(Buffer.from('guess')).check(
        'registry',
        secretOf('x', Buffer.from('guess')).sign('registry').metadata,
      ),
  }
  const impostor = await serve((server) =>
    addRegistryService(server, registry, Object.assign(guardOf(), guard), ports),
  )
  cleanups.push(
    () => impostor.server.close(),
    () => registry.close(),
  )
  const answers: RegistryAnswer[] = []
  const why = await new Promise<BrokerError>((resolve) => {
    new GrpcRegistryLink(impostor.address, secretOf('x')).open(
      helloOf('x'),
      (answer) => answers.push(answer),
      resolve,
    )
  })
  expect(why).toMatchObject({
    code: 'PEER_REFUSED',
    message: 'the peer does not know the secret of this set',
  })
  expect(answers).toEqual([])
})

test('nobody there is UNAVAILABLE', async () => {
  const gone = await serve(() => {})
  await gone.server.close()
  expect(await attempt(gone.address, helloOf('a-master'))).toMatchObject({ code: 'UNAVAILABLE' })
})

test('garbage on the stream and on the port ends that stream and nothing else', async () => {
  const { address } = await registryOnPort()
  const master = broker('a-master', address)
  broker('a-slave', address)
  await until(() => master.mayServe())

  const raw = new Client(address, credentials.createInsecure())
  cleanups.push(() => raw.close())
  const say = (bytes: Buffer): Promise<unknown> =>
    new Promise((resolve) => {
      const { metadata } = secretOf('a-slave-2').sign('registry')
      const call = raw.makeBidiStreamRequest(wire.RegistryService.register.path, asIs, asIs, metadata)
      call.on('error', resolve)
      call.on('data', () => {})
      call.write(bytes)
    })
  expect(await say(Buffer.from('ffffffffffff', 'hex'))).toMatchObject({ code: grpcStatus.INTERNAL })
  expect(await say(Buffer.alloc(0))).toMatchObject({
    code: grpcStatus.INVALID_ARGUMENT,
    details: 'a registration is one hello, then statuses',
  })
  expect(await say(Buffer.alloc(17 * 1024 * 1024))).toMatchObject({ code: grpcStatus.RESOURCE_EXHAUSTED })

  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  await new Promise((resolve) => {
    socket.resume()
    socket.on('error', resolve)
    socket.on('close', resolve)
    socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  })
  const { sequence = 0 } = master.answer ?? {}
  await until(() => (master.answer?.sequence ?? 0) > sequence)
  expect(master.mayServe()).toBe(true)
})

function asIs(bytes: Buffer): Buffer {
  return bytes
}
