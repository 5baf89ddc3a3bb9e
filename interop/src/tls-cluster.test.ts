import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TestAuthority } from '@tandemmq/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Clients } from './clients.ts'
import { freshDirectory } from './local-cluster.ts'
import { LoneService } from './lone-service.ts'

const TOPIC = 'Sealed'
const authority = new TestAuthority()
const services: LoneService[] = []
let scratch: string
let registry: LoneService
/** `host:port` of metadata-rpc's gRPC. */
let endpoints: string

beforeAll(async () => {
  scratch = await freshDirectory()
  await writeFile(join(scratch, 'secret'), 'the secret of this one set')
  registry = start('metadata-rpc', 'registry', ...(await tlsKeys('registry')))
  endpoints = fact(await registry.lines.line(['metadata-rpc is up']), 'grpc')
  const common = [`namesrvAddr=${endpoints}`, 'totalReplicas=2', 'haTls=on']
  const ownMaster = [...common, ...(await tlsKeys('master')), 'brokerRole=SYNC_MASTER', 'createLog=true']
  const master = start('broker-master', 'master', ...ownMaster, 'haListenPort=0')
  const up = await master.lines.line(['broker is up'])
  const following = [`haMasterAddress=${fact(up, 'ha')}`, `masterGrpcAddress=${fact(up, 'grpc')}`]
  const slave = start(
    'broker-slave',
    'slave',
    ...common,
    ...(await tlsKeys('slave')),
    ...following,
    'brokerId=1',
  )
  await slave.lines.line(['following the master'])
})

afterAll(async () => {
  await Promise.all(services.map((service) => service.kill()))
  await rm(scratch, { recursive: true, force: true })
})

async function tlsKeys(party: string, signer = authority): Promise<readonly string[]> {
  const { cert, key } = signer.issue({ hosts: ['127.0.0.1', 'localhost'] })
  const at = (name: string): string => join(scratch, `${party}-${name}.pem`)
  await Promise.all([
    writeFile(at('cert'), cert),
    writeFile(at('key'), key),
    writeFile(at('trust'), signer.cert),
  ])
  const files = [`tlsCertPath=${at('cert')}`, `tlsKeyPath=${at('key')}`, `tlsTrustCertPath=${at('trust')}`]
  return ['grpcTls=required', ...files]
}

function start(service: string, party: string, ...keys: readonly string[]): LoneService {
  const own = [`storePathRootDir=${join(scratch, party)}`, 'grpcPort=0', 'httpPort=0', 'logFormat=json']
  const started = LoneService.start(service, ...own, `setSecretFile=${join(scratch, 'secret')}`, ...keys)
  services.push(started)
  return started
}

function fact(line: string, name: string): string {
  const read: unknown = JSON.parse(line)
  return String(Object.entries(Object(read)).find(([key]) => key === name)?.[1])
}

/** The official client trusts what the process does, and reads that when it is loaded. */
async function clientsOf(cluster: ConstructorParameters<typeof Clients>[0]): Promise<Clients> {
  const trusted = join(scratch, 'registry-trust.pem')
  vi.stubEnv('GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', trusted)
  const loaded = await import('./clients.ts')
  return new loaded.Clients(cluster)
}

test('a whole cluster that speaks TLS only: the official client sends and receives through it', async () => {
  await using clients = await clientsOf({ endpoints, sslEnabled: true })
  const producer = await clients.producer(TOPIC, 3)
  for (let n = 0; n < 20; n += 1) await producer.send({ topic: TOPIC, body: Buffer.from(`message ${n}`) })
  const consumer = await clients.simple('readers', TOPIC)
  const got = new Set<string>()
  while (got.size < 20) {
    for (const message of await consumer.receive(16, 15_000)) {
      got.add(message.body.toString())
      await consumer.ack(message)
    }
  }
  expect(got).toContain('message 19')
})

test('who speaks plain text is turned away with a reason, and a broker does not register where it trusts nobody', async () => {
  const clients = await clientsOf({ endpoints })
  await expect(clients.producer(TOPIC)).rejects.toThrow()
  await registry.lines.line(['no gRPC', 'this port speaks TLS only'])
  const keys = await tlsKeys('stranger', new TestAuthority('Another CA'))
  const stranger = start(
    'broker-master',
    'stranger',
    `namesrvAddr=${endpoints}`,
    ...keys,
    'brokerName=broker-b',
  )
  await stranger.lines.line(['regist', 'certificate'])
})
