import { copyFile, cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SimpleConsumer } from 'rocketmq-client-nodejs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { bearLastStream } from './last-stream.ts'
import { freshDirectory, LocalCluster } from './local-cluster.ts'
import { LoneService } from './lone-service.ts'
import { quietClientLog } from './quiet-client-log.ts'
import { Workload } from './workload.ts'

/** Everything is done to one cluster while an honest client goes on; what it leaves on disk is then damaged on purpose. */
let cluster: LocalCluster
let clients: Clients
let scratch: string
const work = new Workload('Honest')
let sending: Promise<void>

beforeAll(async () => {
  scratch = await freshDirectory()
  cluster = await LocalCluster.start([], join(scratch, 'data'))
  clients = new Clients(cluster)
  const producer = await clients.producer('Honest')
  sending = work.keepSending(producer)
  void work.keepConsuming(await clients.simple('honest', 'Honest'))
})

afterAll(async () => {
  await cluster?.stop()
  await rm(scratch, { recursive: true, force: true })
})

function config(service: string): string {
  return cluster.ready.services[service]?.config ?? ''
}

/** A slave of its own that follows this cluster's master, different in `settings`. */
function strangeSlave(name: string, ...settings: readonly string[]): LoneService {
  const own = [`storePathRootDir=${join(scratch, name)}`, 'grpcPort=0', 'httpPort=0', 'brokerId=7']
  return LoneService.start('broker-slave', '-c', config('broker-slave'), ...own, ...settings)
}

/** What a promise was rejected with, causes included. */
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  let failure = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  const words: string[] = []
  for (; failure instanceof Error; failure = failure.cause) words.push(failure.message)
  return words.join('; ')
}

/** The client never gives up on a group that is refused; what it is told stands in its log. */
async function tellsOfGroup(consumerGroup: string): Promise<string> {
  const told = Promise.withResolvers<string>()
  const note = (...words: readonly unknown[]): void => {
    const failure = words.find((word) => word instanceof Error)
    if (failure !== undefined) told.resolve(failure.message)
  }
  const consumer = bearLastStream(
    new SimpleConsumer({
      endpoints: cluster.ready.grpc,
      namespace: '',
      consumerGroup,
      subscriptions: new Map([['Honest', '*']]),
      logger: { ...quietClientLog, error: note, warn: note },
    }),
  )
  consumer.startup().catch(told.resolve)
  const words = await told.promise
  await consumer.shutdown().catch(() => undefined)
  return words
}

async function honestClientGoesOn(): Promise<void> {
  const { consumed } = work
  await work.reached(() => work.consumed >= consumed + 20)
  expect(work.sendFailures).toEqual([])
}

test.each([
  ['another cluster', ['brokerClusterName=Other'], /cluster/],
  ['another set', ['brokerName=broker-x'], /set/],
  ['a wrong secret', ['setSecretFile=WRONG'], /secret/],
  ['an identity that is in use', ['brokerId=1'], /identity/],
])('a slave with %s is refused by words on both sides', async (name, settings, words) => {
  const wrong = join(scratch, 'wrong-secret')
  await writeFile(wrong, 'f'.repeat(64))
  const from = cluster.log.length
  await using stranger = strangeSlave(name, ...settings.map((it) => it.replace('WRONG', wrong)))
  const theirs = await stranger.lines.line(['not following the master'])
  expect(theirs).toMatch(words)
  const ours = await cluster.lines.line(['broker-master', 'slave not accepted'], from)
  expect(ours).toMatch(words)
  await honestClientGoesOn()
  expect((await cluster.api.member('broker-a-0')).replicas).toMatchObject([{ identity: 'broker-a-1' }])
  expect(await stranger.stop()).toBe(0)
})

test('a second process on a data directory says that it is in use', async () => {
  await using service = LoneService.start(
    'broker-slave',
    '-c',
    config('broker-slave'),
    'grpcPort=0',
    'httpPort=0',
  )
  expect(await service.refusal()).toEqual({
    code: 1,
    said: `another process is using ${join(cluster.data, 'broker-slave')}`,
  })
  await using launcher = LoneService.launcher('--data', cluster.data)
  expect(await launcher.refusal()).toMatchObject({
    code: 1,
    said: expect.stringContaining(`another launcher is running on ${cluster.data}: stop it, or`),
  })
})

test.each([
  [
    'a wrong word',
    ['brokerRole=KING'],
    'brokerRole must be one of ASYNC_MASTER, SYNC_MASTER, SLAVE, but "KING" was given (argument)',
  ],
  ['a wrong number', ['grpcPort=99999'], 'grpcPort must be'],
  [
    'values that contradict each other',
    ['inSyncReplicas=3'],
    'inSyncReplicas must be at most totalReplicas, which is 2',
  ],
])('%s in a configuration stops the start with a sentence', async (_name, settings, sentence) => {
  const root = `storePathRootDir=${join(scratch, 'never')}`
  await using service = LoneService.start('broker-master', '-c', config('broker-master'), root, ...settings)
  const { code, said } = await service.refusal()
  expect(said).toContain(sentence)
  expect(said.split('\n')).toHaveLength(1)
  expect(code).toBe(2)
})

test('a configuration file that is none, or is not there, is told by its name', async () => {
  const broken = join(scratch, 'broken.conf')
  await writeFile(broken, Buffer.from([0, 1, 2, 255, 254, 10, 61, 61]))
  for (const file of [broken, join(scratch, 'nowhere.conf')]) {
    await using service = LoneService.start('metadata-rpc', '-c', file)
    const { code, said } = await service.refusal()
    expect(said).toContain(file)
    expect(said.split('\n')).toHaveLength(1)
    expect(code).toBe(2)
  }
})

test('names that could be paths or lookalikes are refused and leave nothing behind', async () => {
  const names = ['../escape', 'a/b', 'nul\u0000l', 'x'.repeat(300), '..']
  const refusals = [...names, 'Оrders'].flatMap((name) => [
    [name, refusalOf(clients.producer(name))] as const,
    [name, refusalOf(clients.simple('honest', name))] as const,
  ])
  const told = [...names, 'grоup'].map((group) => [group, tellsOfGroup(group)] as const)
  for (const [name, refusal] of [...refusals, ...told]) {
    expect(await refusal, name).toMatch(/illegal|ILLEGAL|longer than/)
  }
  await honestClientGoesOn()
  const topics: { topics: { name: string }[] } = JSON.parse(
    await (await cluster.api.fetch('/api/v1/topics')).text(),
  )
  expect(topics.topics.map(({ name }) => name)).toEqual(['Honest'])
  expect(await readdir(join(cluster.data, 'broker-master', 'consumequeue'))).toEqual(['Honest'])
})

test('damaged state files: the copy is used, or the start is refused with a sentence', async () => {
  work.stopSending()
  await sending
  work.stopConsuming()
  await clients[Symbol.asyncDispose]()
  expect(await cluster.stop()).toBe(0)

  const rubbish = Buffer.from('\u0000rubbish')
  const cases = [
    ['broker-master', ['config/topics.json', 'config/topics.json.bak'], 'topics.json cannot be read'],
    [
      'broker-slave',
      ['config/consumerOffset.json', 'config/consumerOffset.json.bak'],
      'consumerOffset.json cannot be read',
    ],
    ['broker-master', ['position', 'position.bak'], 'position is damaged and so is its fallback copy'],
    ['broker-slave', ['journal/progress.journal'], 'progress.journal'],
    ['broker-master', ['epochOpeners', 'epochOpeners.bak'], 'epochOpeners'],
  ] as const
  const starts = cases.map(async ([service, files, sentence], index) => {
    const store = join(scratch, `damaged-${index}`)
    await cp(join(cluster.data, service), store, { recursive: true })
    for (const file of files) await writeFile(join(store, file), rubbish)
    await using damaged = LoneService.start(
      service,
      '-c',
      config(service),
      `storePathRootDir=${store}`,
      'grpcPort=0',
      'httpPort=0',
    )
    const { code, said } = await damaged.refusal()
    expect(said).toContain(sentence)
    expect(said, 'no stack').not.toMatch(/^\s+at /m)
    expect(code).toBe(1)
  })
  await Promise.all(starts)

  // One whole version is left: everything comes up again, and says so.
  await copyFile(
    join(cluster.data, 'broker-master/config/topics.json'),
    join(cluster.data, 'broker-master/config/topics.json.bak'),
  )
  const copy = 'metadata-rpc/sets/broker-a'
  for (const file of [
    'broker-master/config/topics.json',
    'broker-slave/position',
    `${copy}/config/topics.json`,
    `${copy}/config/topics.json.bak`,
    `${copy}/journal/progress.journal`,
  ]) {
    await writeFile(join(cluster.data, file), rubbish)
  }
  // On other ports: the clients whose group was refused never stop knocking at the old one, and gRPC shares their back-off.
  await rm(join(cluster.data, 'conf/metadata-rpc.conf'))
  await using again = await LocalCluster.start([], cluster.data)
  expect(again.lines.having('broker-master', 'using the fallback copy of a config file')).toHaveLength(1)
  await using newClients = new Clients(again)
  work.goOn()
  void work.keepConsuming(await newClients.simple('honest', 'Honest'))
  await work.send(await newClients.producer('Honest'))
  await work.reached(() => work.ledger.isComplete && work.consumed >= work.accepted)
  work.stopConsuming()
  expect(work.repeats).toEqual([])
})
