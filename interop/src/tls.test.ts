import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { TestAuthority, type CertificateWishes } from '@tandemmq/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { commitLog } from './commit-log.ts'
import { freshDirectory } from './local-cluster.ts'
import { LoneService } from './lone-service.ts'

const SET = 'tandemmq://DefaultCluster/broker-a'
const TOPIC = 'Secret'
const authority = new TestAuthority()
const services: LoneService[] = []
let scratch: string

/** A master in synchronous replication and its slave: no secret, mutual TLS instead. */
let master: Running
let slave: LoneService

interface Running {
  readonly service: LoneService
  readonly grpc: string
  readonly ha: string
}

beforeAll(async () => {
  scratch = await freshDirectory()
  const tls = await tlsKeys('master', 'mutual', { hosts: ['127.0.0.1'], uris: [SET] })
  master = await startMaster('master', ...tls, 'brokerRole=SYNC_MASTER', 'totalReplicas=2')
  slave = await startSlave('slave', 1, 'mutual')
  await slave.lines.line(['following the master'])
})

afterAll(async () => {
  await Promise.all(services.map((service) => service.kill()))
  await rm(scratch, { recursive: true, force: true })
})

/** Writes the files of one party; returns the keys that name them. */
async function tlsKeys(
  party: string,
  haTls: 'on' | 'mutual',
  wishes: CertificateWishes = { uris: [SET] },
  { signer = authority, trusted = authority } = {},
): Promise<readonly string[]> {
  const { cert, key } = signer.issue(wishes)
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(scratch, `${party}-${name}.pem`)
    await writeFile(path, content)
    return path
  }
  return [
    `haTls=${haTls}`,
    `tlsCertPath=${await write('cert', cert)}`,
    `tlsKeyPath=${await write('key', key)}`,
    `tlsTrustCertPath=${await write('trust', trusted.cert)}`,
  ]
}

function start(service: string, party: string, ...keys: readonly string[]): LoneService {
  const own = [`storePathRootDir=${join(scratch, party)}`, 'grpcPort=0', 'httpPort=0', 'logFormat=json']
  const started = LoneService.start(service, ...own, 'mappedFileSizeCommitLog=1048576', ...keys)
  services.push(started)
  return started
}

async function startMaster(party: string, ...keys: readonly string[]): Promise<Running> {
  const service = start('broker-master', party, 'haListenPort=0', 'createLog=true', ...keys)
  const line: unknown = JSON.parse(await service.lines.line(['broker is up']))
  const at = (name: string): string => String(Object.entries(Object(line)).find(([key]) => key === name)?.[1])
  return { service, grpc: at('grpc'), ha: at('ha') }
}

/** `haTls` with the keys of a good certificate, or the keys themselves. */
async function startSlave(
  party: string,
  brokerId: number,
  keys: 'on' | 'mutual' | readonly string[],
  to: { readonly grpc: string; readonly ha: string } = master,
): Promise<LoneService> {
  const tls = typeof keys === 'string' ? await tlsKeys(party, keys) : keys
  const own = [`brokerId=${brokerId}`, `haMasterAddress=${to.ha}`, `masterGrpcAddress=${to.grpc}`]
  return start('broker-slave', party, ...own, ...tls)
}

/** What both sides say of a slave that is not accepted. */
async function told(
  service: LoneService,
  onMaster: readonly string[],
  onSlave: readonly string[],
  to = master,
) {
  await Promise.all([
    onMaster.length === 0 ? undefined : to.service.lines.line(onMaster),
    service.lines.line(['not following the master', ...onSlave]),
  ])
  await service.kill()
}

async function caller(...bytes: readonly number[]): Promise<Socket> {
  const [host = '', port = ''] = master.ha.split(':')
  const socket = createConnection({ host, port: Number(port) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(Buffer.from(bytes))
  return socket
}

test('synchronous replication over mutual TLS, without a secret: the logs are the same, byte for byte', async () => {
  await using clients = new Clients({ endpoints: master.grpc })
  const producer = await clients.producer(TOPIC, 3)
  const bodies = Array.from({ length: 300 }, (_, n) => `message ${n} ${'x'.repeat(n * 10)}`)
  for (const body of bodies) await producer.send({ topic: TOPIC, body: Buffer.from(body) })
  const last = Buffer.from(bodies.at(-1) ?? '')
  const ours = commitLog(scratch, 'master', 8 * 1024 * 1024)
  const end = ours.indexOf(last) + last.length
  expect(end).toBeGreaterThan(450_000)
  expect(commitLog(scratch, 'slave', end).equals(ours.subarray(0, end))).toBe(true)
})

test('a slave that a certificate does not name as a member of this set is refused, and both sides say why', async () => {
  const other = await tlsKeys('other', 'on', { uris: ['tandemmq://DefaultCluster/broker-b'] })
  const words = 'names tandemmq://DefaultCluster/broker-b, not'
  await told(await startSlave('other', 2, other), ['broker-a-2', words], [words])

  const dated = await tlsKeys('old', 'mutual', { uris: [SET], to: new Date(Date.now() - 1_000) })
  const expired = 'the certificate of slave \\"broker-a-3\\" has expired'
  await told(await startSlave('old', 3, dated), [expired], [expired])

  const signer = new TestAuthority()
  const forged = await tlsKeys('forged', 'mutual', { uris: [SET] }, { signer })
  const unknown = 'the certificate of slave \\"broker-a-4\\" is signed by no authority'
  await told(await startSlave('forged', 4, forged), [unknown], [unknown])
})

test('a master that is not who was dialled, or whom nobody we trust vouches for, is not followed', async () => {
  const trusting = await tlsKeys('trusting', 'mutual', { uris: [SET] }, { trusted: new TestAuthority() })
  await told(
    await startSlave('trusting', 5, trusting),
    [],
    ['is signed by no authority that is trusted here'],
  )
  const elsewhere = { ...master, ha: master.ha.replace('127.0.0.1', 'localhost') }
  await told(await startSlave('elsewhere', 6, 'mutual', elsewhere), [], ['is for another host'])
})

test('plain text against TLS, both ways round, is told on both sides', async () => {
  const words = 'the master speaks TLS only, its slave does not'
  await told(await startSlave('plain', 7, []), ['it does not speak TLS'], [words])
  const open = await startMaster('plain-master')
  const encrypted = await startSlave('encrypted', 8, 'mutual', open)
  await told(encrypted, ['the slave speaks TLS, its master does not'], ['answers without TLS'], open)
})

test('half-open handshakes, and garbage in them, keep no slave away', async () => {
  const callers = await Promise.all(
    Array.from({ length: 150 }, (_, n) =>
      caller(0x16, 3, 1, 2, 0, 1, ...(n % 2 === 0 ? [] : Array(600).fill(n))),
    ),
  )
  await slave.kill()
  slave = await startSlave('slave', 1, 'mutual')
  await slave.lines.line(['following the master'])
  await using clients = new Clients({ endpoints: master.grpc })
  const producer = await clients.producer(TOPIC, 3)
  await producer.send({ topic: TOPIC, body: Buffer.from('after all') })
  for (const socket of callers) socket.destroy()
  expect(master.service.lines.having('hung up on', 'tls').length).toBeGreaterThan(0)
})

test('what cannot be encrypted as was asked for does not start', async () => {
  const keys = await tlsKeys('nameless', 'mutual', { hosts: ['127.0.0.1'] })
  const refusal = await start('broker-master', 'nameless', 'haListenPort=0', ...keys).refusal()
  expect(refusal.code).not.toBe(0)
  expect(refusal.said).toContain('with a URI tandemmq://DefaultCluster/broker-a or')
})
