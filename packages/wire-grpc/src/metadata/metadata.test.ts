import { Client, credentials, status as grpcStatus } from '@grpc/grpc-js'
import { BrokerError, silentLogger, silentMeter } from '@tandemmq/base'
import {
  MetadataStore,
  MetadataSync,
  topicConfig,
  type Answer,
  type Cursor,
  type MetadataOptions,
  type Snapshot,
} from '@tandemmq/metadata'
import { metadata as wire } from '@tandemmq/rpc'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { afterEach, expect, test } from 'vitest'
import { countingRandom, guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { GrpcServer } from '../server.ts'
import { GrpcMetadataClient } from './grpc-metadata-client.ts'
import type { MetadataAdmin } from './metadata-admin.ts'
import type { MetadataProvider } from './metadata-provider.ts'
import { addMetadataService } from './metadata-service.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function storeInMemory(options: MetadataOptions = {}): Promise<MetadataStore> {
  const files = new SimulatedFiles({ clock: new SimulatedClock(), random: new SeededRandom(1) })
  const log = { knowsStamp: () => true }
  return MetadataStore.open(options, {
    files,
    clock: realClock,
    logger: silentLogger,
    meter: silentMeter,
    log,
  })
}

function adminOf(store: MetadataStore): MetadataAdmin {
  return {
    putTopic: async (topic) => store.commit({ kind: 'topic-put', topic }),
    deleteTopic: async (name) => store.commit({ kind: 'topic-delete', name }),
    putGroup: async (group) => store.commit({ kind: 'group-put', group }),
    deleteGroup: () => Promise.reject(new BrokerError('NOT_WRITABLE', 'this broker is a slave')),
    describe: async (what, name) => JSON.stringify({ what, name }),
  }
}

async function broker(options: MetadataOptions = {}, parts: Partial<MetadataProvider> = {}) {
  const store = await storeInMemory(options)
  const provider: MetadataProvider = {
    store,
    admin: adminOf(store),
    takeBack: async (snapshot) => void store.merge(snapshot),
    ...parts,
  }
  const add = (server: GrpcServer): void =>
    addMetadataService(server, provider, guardOf(), { logger: silentLogger })
  const served = await serve(add)
  cleanups.push(() => served.server.close())
  return { store, add, ...served, client: new GrpcMetadataClient(served.address, secretOf('a-slave')) }
}

const never = new AbortController().signal

function acked(store: MetadataStore, topic: string, offset: number): void {
  const stamp = { logEpoch: 1, physicalOffset: offset * 100 }
  store.commit({ kind: 'ack', group: 'G', topic, queueId: 0, records: [{ queueOffset: offset, stamp }] })
}

test('a pull brings everything, the next one what is new', async () => {
  const { store, client } = await broker()
  store.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Orders', type: 'FIFO' }) })
  acked(store, 'Orders', 0)
  const copy = await storeInMemory()
  copy.applyRemote(await client.pull(copy.followed, never))
  expect(copy.topics.get('Orders')?.type).toBe('FIFO')
  expect(copy.snapshot()).toEqual(store.snapshot())

  acked(store, 'Orders', 1)
  const news = await client.pull(copy.followed, never)
  expect(news.snapshot).toBeUndefined()
  expect(news.changes).toHaveLength(1)
  copy.applyRemote(news)
  expect(copy.progress.queue('G', 'Orders', 0).floor).toBe(2)
})

test('a snapshot of several megabytes arrives whole', async () => {
  const { store, client } = await broker({ feedSize: 16 })
  const padding = 'x'.repeat(400)
  for (let n = 0; n < 6000; n++) {
    const topic = topicConfig({ name: `Topic-${n}`, attributes: new Map([['note', `${padding}${n}`]]) })
    store.commit({ kind: 'topic-put', topic })
  }
  const copy = await storeInMemory()
  copy.applyRemote(await client.pull(undefined, never))
  expect(copy.snapshot()).toEqual(store.snapshot())
})

test('a watch says at once that it stands, delivers changes as they happen, and confirms what is applied', async () => {
  const applied: (Cursor | undefined)[] = []
  const { store, client } = await broker(
    {},
    {
      watched: (identity) => ({
        acknowledged: (cursor) => applied.push(identity === 'a-slave' ? cursor : undefined),
        left: () => applied.push(undefined),
      }),
    },
  )
  const copy = await storeInMemory()
  const stop = new AbortController()
  const answers: Answer[] = []
  const watching = client.watch(
    copy.followed,
    (answer) => {
      answers.push(answer)
      copy.applyRemote(answer)
    },
    stop.signal,
  )
  await until(() => answers.length === 1)
  for (let offset = 0; offset < 50; offset++) acked(store, 'Orders', offset)
  await until(() => copy.progress.queue('G', 'Orders', 0).floor === 50)
  expect(answers.length, 'the changes of one turn come together').toBeLessThan(10)
  await until(() => applied.at(-1)?.counter === store.cursor.counter)
  stop.abort()
  await watching
  await until(() => applied.at(-1) === undefined)
})

test('rule 5.8: a watch that is hung up on ends with the reason, and an answer that was not applied is not confirmed', async () => {
  const applied: Cursor[] = []
  const hangUps: ((why: string) => void)[] = []
  let hasLeft = 0
  const { store, client } = await broker(
    {},
    {
      watched: (_identity, hangUp) => {
        hangUps.push(hangUp)
        return { acknowledged: (cursor) => applied.push(cursor), left: () => (hasLeft += 1) }
      },
    },
  )
  const watching = client.watch(undefined, () => {}, never)
  await until(() => applied.length === 1)
  hangUps[0]?.('no acknowledgement within 200 ms')
  await expect(watching).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'no acknowledgement within 200 ms',
  })
  expect(hasLeft).toBe(1)

  const stop = new AbortController()
  const refusing = client.watch(
    store.cursor,
    () => stop.abort(new Error('it could not be applied')),
    stop.signal,
  )
  await refusing
  await until(() => hasLeft === 2)
  expect(applied).toHaveLength(1)
})

test('a follower finds a broker again that was away', async () => {
  const { store, add, server, address, client } = await broker()
  const copy = await storeInMemory()
  const ports = { clock: realClock, random: countingRandom, logger: silentLogger }
  const sync = MetadataSync.start({ pullIntervalMs: 50 }, ports, client, copy)
  cleanups.push(() => sync.close())
  acked(store, 'Orders', 0)
  await until(() => copy.progress.queue('G', 'Orders', 0).floor === 1 && sync.status.watching)

  await server.close()
  await until(() => !sync.status.watching && sync.status.problem !== undefined)
  acked(store, 'Orders', 1)
  const again = new GrpcServer({ clock: realClock, logger: silentLogger })
  add(again)
  await again.listen({ host: '127.0.0.1', port: Number(address.split(':')[1]) })
  cleanups.push(() => again.close())
  await until(() => copy.progress.queue('G', 'Orders', 0).floor === 2 && sync.status.watching)
})

test('a hand-back is answered after it has been taken, and refused with the words of the master', async () => {
  const { promise: isSynced, resolve: synced } = Promise.withResolvers<undefined>()
  const taken: { from: string; snapshot: Snapshot }[] = []
  const { client } = await broker(
    {},
    {
      takeBack: async (snapshot, from) => {
        taken.push({ from, snapshot })
        await isSynced
      },
    },
  )
  const slave = await storeInMemory()
  for (let n = 0; n < 3000; n++)
    acked(slave, `Topic-with-a-rather-long-name-to-fill-several-pieces-${'x'.repeat(60)}-${n}`, 5)
  let isAnswered = false
  const handedBack = client.handBack(slave.snapshot(), never).then(() => (isAnswered = true))
  await until(() => taken.length === 1)
  expect(isAnswered).toBe(false)
  synced(undefined)
  await handedBack
  expect(taken[0]?.from).toBe('a-slave')
  expect(taken[0]?.snapshot).toEqual(slave.snapshot())

  const refusing = await broker(
    {},
    {
      takeBack: () => Promise.reject(new BrokerError('NOT_WRITABLE', 'this broker is a slave')),
    },
  )
  await expect(refusing.client.handBack(slave.snapshot(), never)).rejects.toMatchObject({
    code: 'NOT_WRITABLE',
    message: 'this broker is a slave',
  })
})

test('a hand-back that is given up does not hang', async () => {
  const { client } = await broker({}, { takeBack: () => new Promise(() => {}) })
  const patience = new AbortController()
  const handedBack = client.handBack({}, patience.signal)
  patience.abort()
  await expect(handedBack).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test("topics and groups are created with Apache's defaults, and nonsense is refused in words", async () => {
  const { store, client } = await broker()
  await client.putTopic({ name: 'Orders', type: 'FIFO', writeQueues: 3, readQueues: 3 })
  expect(store.topics.get('Orders')).toMatchObject({ type: 'FIFO', readQueues: 3, writeQueues: 3, perm: 6 })
  await client.putGroup({ name: 'G', orderly: true, retryMaxTimes: 0 })
  expect(store.groups.get('G')).toMatchObject({ orderly: true, retryMaxTimes: 0, consumeEnabled: true })
  await client.deleteTopic('Orders')
  expect(store.topics.get('Orders')).toBeUndefined()
  expect(JSON.parse(await client.describe('topic', 'Orders'))).toEqual({ what: 'topic', name: 'Orders' })

  await expect(client.putTopic({ name: '../../etc' })).rejects.toMatchObject({ code: 'ILLEGAL_ARGUMENT' })
  await expect(client.putTopic({ name: 'Orders', readQueues: -1 })).rejects.toMatchObject({
    code: 'ILLEGAL_ARGUMENT',
  })
  await expect(client.deleteGroup('G')).rejects.toMatchObject({
    code: 'NOT_WRITABLE',
    message: 'this broker is a slave',
  })
})

test('nobody without the secret gets or gives anything', async () => {
  const { store, address } = await broker()
  acked(store, 'Orders', 0)
  const stranger = new GrpcMetadataClient(address, secretOf('a-slave', Buffer.from('guess')))
  const words = { code: 'PEER_REFUSED', message: 'a-slave does not know the secret of this set' }
  await expect(stranger.pull(undefined, never)).rejects.toMatchObject(words)
  await expect(stranger.watch(undefined, () => {}, never)).rejects.toMatchObject(words)
  await expect(stranger.handBack(store.snapshot(), never)).rejects.toMatchObject(words)
  await expect(stranger.putTopic({ name: 'T' })).rejects.toMatchObject(words)
  expect(store.topics.get('T')).toBeUndefined()
})

test('nobody there is UNAVAILABLE', async () => {
  const { server, client } = await broker()
  await server.close()
  await expect(client.pull(undefined, never)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(client.putTopic({ name: 'T' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('garbage ends its call and nothing else', async () => {
  const { address, client, store } = await broker()
  acked(store, 'Orders', 0)
  const raw = new Client(address, credentials.createInsecure())
  cleanups.push(() => raw.close())
  const say = (path: string, bytes: Buffer): Promise<unknown> =>
    new Promise((resolve) => {
      const call = raw.makeBidiStreamRequest(path, asIs, asIs, secretOf('rough').sign('metadata').metadata)
      call.on('error', resolve)
      call.on('data', () => {})
      call.write(bytes)
      call.end()
    })
  const { pull, watch, handBack } = wire.MetadataService
  const garbage = Buffer.from('0affffffff0f', 'hex')
  for (const { path } of [pull, watch, handBack]) {
    expect(await say(path, garbage), path).toMatchObject({ code: grpcStatus.INTERNAL })
  }
  // A well-formed message whose content is garbage.
  const part = Buffer.from(
    wire.HandBackPart.encode({ snapshot: garbage, claim: undefined, last: true }).finish(),
  )
  expect(await say(handBack.path, part)).toMatchObject({ code: grpcStatus.INVALID_ARGUMENT })
  expect((await client.pull(undefined, never)).snapshot).toEqual(store.snapshot())
})

function asIs(bytes: Buffer): Buffer {
  return bytes
}
