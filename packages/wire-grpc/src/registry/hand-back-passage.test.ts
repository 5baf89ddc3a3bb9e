import { credentials, type sendUnaryData, type ServerReadableStream } from '@grpc/grpc-js'
import { BrokerError, silentLogger } from '@tandemmq/base'
import type { LogClaim, Snapshot } from '@tandemmq/metadata'
import { Registry, type MemberView } from '@tandemmq/registry'
import { metadata, registry as wire } from '@tandemmq/rpc'
import { afterEach, describe, expect, test } from 'vitest'
import { countingRandom, guardOf, realClock, secretOf, serve, until } from '../loopback.test-support.ts'
import { partsOf } from '../metadata/hand-back-parts.ts'
import { addMetadataService, type MetadataProvider } from '../metadata/index.ts'
import { GrpcHandBackAround } from './grpc-hand-back-around.ts'
import { addRegistryService } from './registry-service.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const never = new AbortController().signal
const claim: LogClaim = {
  lineage: {
    logId: '0123456789abcdef'.repeat(2),
    epochs: [{ epoch: 3, start: 0, opener: 'feed'.repeat(4) }],
  },
  end: 4711,
  givesServing: true,
}
const large: Snapshot = {
  progress: Array.from({ length: 20_000 }, (_, n) => ({
    kind: 'reset' as const,
    group: 'G',
    topic: `Topic-${'x'.repeat(60)}-${n}`,
    queueId: 0,
    to: n,
    generation: { servingEpoch: 1, counter: n },
  })),
}

interface Taken {
  readonly snapshot: Snapshot
  readonly from: string
  readonly claim: LogClaim | undefined
}

/** A master's gRPC port. What it was given is in `taken`. */
async function master(takeBack?: MetadataProvider['takeBack']) {
  const taken: Taken[] = []
  const provider: Pick<MetadataProvider, 'takeBack'> = {
    takeBack: async (snapshot, from, judged) => {
      taken.push({ snapshot, from, claim: judged })
      await takeBack?.(snapshot, from, judged)
    },
  }
  const unused: Omit<MetadataProvider, 'takeBack'> = {
    store: {
      changesSince: () => ({ cursor: { processEpoch: 1, counter: 0 }, changes: [] }),
      onChange: () => () => {},
    },
    admin: {
      putTopic: () => Promise.resolve(),
      deleteTopic: () => Promise.resolve(),
      putGroup: () => Promise.resolve(),
      deleteGroup: () => Promise.resolve(),
      describe: () => Promise.resolve(''),
    },
  }
  const served = await serve((server) =>
    addMetadataService(server, { ...unused, ...provider }, guardOf(), { logger: silentLogger }),
  )
  cleanups.push(() => served.server.close())
  return { ...served, taken }
}

/** A master's port as of before there were claims. */
async function olderMaster(): Promise<string> {
  const guard = guardOf()
  const { server, address } = await serve((it) =>
    it.add(metadata.MetadataService, {
      handBack: (
        call: ServerReadableStream<metadata.HandBackPart, metadata.HandBackAnswer>,
        done: sendUnaryData<metadata.HandBackAnswer>,
      ) => {
        call.sendMetadata(guard.check('metadata', call.metadata).proof)
        call.on('data', () => {})
        call.on('end', () => done(null, { judged: false }))
      },
    }),
  )
  cleanups.push(() => server.close())
  return address
}

/** metadata-rpc, of whose set these are the members. */
async function metadataRpc(members: readonly Partial<MemberView>[]) {
  const ports = { clock: realClock, logger: silentLogger }
  const registry = new Registry({}, ports)
  const set = { cluster: 'DefaultCluster', set: 'broker-a', members: members.map(memberOf) }
  const passages = {
    view: { set: (name: string) => (name === 'broker-a' ? set : undefined) },
    secret: secretOf('metadata-rpc'),
  }
  const served = await serve((server) =>
    addRegistryService(server, registry, guardOf(), { ...ports, passages }),
  )
  cleanups.push(
    () => served.server.close(),
    () => registry.close(),
  )
  return served.address
}

function memberOf(fields: Partial<MemberView>): MemberView {
  return {
    identity: '',
    role: 'slave',
    grpcAddress: '127.0.0.1:1',
    haAddress: '',
    alive: true,
    logId: '',
    lastEpoch: 1,
    end: 0,
    writable: false,
    ...fields,
  }
}

function wayOf(address: string, identity = 'a-slave', to = { set: 'broker-a', to: 'a-master' }) {
  return new GrpcHandBackAround(address, secretOf(identity), to)
}

describe('rule 4.7: metadata-rpc passes on what a slave has for a master that it does not reach', () => {
  test('all of it, with the claim, by its own word; and answers when the master has', async () => {
    const synced = Promise.withResolvers<void>()
    const { address: grpcAddress, taken } = await master(() => synced.promise)
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
    ])
    let isAnswered = false
    const answered = wayOf(address)
      .handBack(large, never, claim)
      .then(() => (isAnswered = true))
    await until(() => taken.length === 1)
    expect(isAnswered).toBe(false)
    synced.resolve()
    await answered
    expect(taken).toEqual([{ snapshot: large, from: 'metadata-rpc', claim }])
  })

  test('what the master says against it is the answer', async () => {
    const refusal = new BrokerError('PEER_REFUSED', 'the logs differ')
    const { address: grpcAddress } = await master(() => Promise.reject(refusal))
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
    ])
    await expect(wayOf(address).handBack({}, never, claim)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      message: 'the logs differ',
    })
  })

  test('what ends before its last part, as a connection that breaks does, is nothing: neither here nor for the master', async () => {
    const { address: grpcAddress, taken } = await master()
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
    ])
    const around = new wire.RegistryClient(address, credentials.createInsecure())
    const straight = new metadata.MetadataClient(grpcAddress, credentials.createInsecure())
    cleanups.push(
      () => around.close(),
      () => straight.close(),
    )
    const [whole] = partsOf({}, claim)
    const part = whole && { ...whole, last: false }
    const toMetadataRpc = new Promise<string | undefined>((resolve) => {
      const word = secretOf('a-slave').sign('hand-back').metadata
      const call = around.handBack(word, (error) => resolve(error?.details))
      call.write({ address: { set: 'broker-a', to: 'a-master' }, part })
      call.end()
    })
    expect(await toMetadataRpc).toBe('the hand-back broke off')
    const toMaster = new Promise<string | undefined>((resolve) => {
      const word = secretOf('a-slave').sign('metadata').metadata
      const call = straight.handBack(word, (error) => resolve(error?.details))
      if (part) call.write(part)
      call.end()
    })
    expect(await toMaster).toBe('the hand-back broke off')
    expect(taken).toEqual([])
  })

  test('an older master, which judges nothing, has not agreed', async () => {
    const grpcAddress = await olderMaster()
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
    ])
    await expect(wayOf(address).handBack({}, never, claim)).rejects.toMatchObject({ code: 'PEER_REFUSED' })
  })

  test.each([
    [
      'a caller that is not of the set',
      'b-slave',
      { set: 'broker-a', to: 'a-master' },
      'PEER_REFUSED',
      'b-slave is not registered in the set broker-a',
    ],
    [
      'one that is registered no more',
      'gone-slave',
      { set: 'broker-a', to: 'a-master' },
      'PEER_REFUSED',
      'gone-slave is not registered in the set broker-a',
    ],
    [
      'another set',
      'a-slave',
      { set: 'broker-b', to: 'a-master' },
      'SET_NOT_FOUND',
      'there is no set broker-b',
    ],
    [
      'another than the master',
      'a-slave',
      { set: 'broker-a', to: 'c-slave' },
      'PEER_REFUSED',
      'c-slave is not the master of the set broker-a',
    ],
    [
      'the caller itself',
      'a-master',
      { set: 'broker-a', to: 'a-master' },
      'PEER_REFUSED',
      'a-master is not the master of the set broker-a',
    ],
  ])('not to or from: %s', async (_name, caller, to, code, message) => {
    const { address: grpcAddress, taken } = await master()
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
      { identity: 'c-slave' },
      { identity: 'gone-slave', alive: false },
    ])
    await expect(wayOf(address, caller, to).handBack({}, never, claim)).rejects.toMatchObject({
      code,
      message,
    })
    expect(taken).toEqual([])
  })

  test('not for one without the secret, nor to a master that is not heard or does not listen', async () => {
    const address = await metadataRpc([{ identity: 'a-master', role: 'master' }, { identity: 'a-slave' }])
    const stranger = new GrpcHandBackAround(address, secretOf('a-slave', Buffer.from('guess')), {
      set: 'broker-a',
      to: 'a-master',
    })
    await expect(stranger.handBack({}, never, claim)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      message: 'a-slave does not know the secret of this set',
    })
    await expect(wayOf(address).handBack({}, never, claim)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const silent = await metadataRpc([
      { identity: 'a-master', role: 'master', alive: false },
      { identity: 'a-slave' },
    ])
    await expect(wayOf(silent).handBack({}, never, claim)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'the master of the set broker-a is not heard: a-master',
    })
  })

  test('what goes on behind its last part ends that call and nothing else', async () => {
    const { address: grpcAddress } = await master(() => new Promise(() => {}))
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
    ])
    const client = new wire.RegistryClient(address, credentials.createInsecure())
    cleanups.push(() => client.close())
    const [part] = partsOf({}, claim)
    const said = await new Promise<string | undefined>((resolve) => {
      const word = secretOf('a-slave').sign('hand-back').metadata
      const call = client.handBack(word, (error) => resolve(error?.details))
      call.write({ address: { set: 'broker-a', to: 'a-master' }, part })
      call.write({ address: undefined, part })
    })
    expect(said).toBe('a hand-back is an address with its first part, then parts up to the last')
  })

  test('one at a time for a set, and none for ever', async () => {
    const { address: grpcAddress, taken } = await master(() => new Promise(() => {}))
    const address = await metadataRpc([
      { identity: 'a-master', role: 'master', grpcAddress },
      { identity: 'a-slave' },
      { identity: 'c-slave' },
    ])
    const first = wayOf(address).handBack({}, never, claim)
    first.catch(() => {})
    await until(() => taken.length === 1)
    await expect(wayOf(address, 'c-slave').handBack({}, never, claim)).rejects.toMatchObject({
      code: 'SYSTEM_BUSY',
    })
    await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('an older metadata-rpc does not know how', async () => {
    const ports = { clock: realClock, random: countingRandom, logger: silentLogger }
    const registry = new Registry({}, ports)
    const served = await serve((server) => addRegistryService(server, registry, guardOf(), ports))
    cleanups.push(() => served.server.close())
    await expect(wayOf(served.address).handBack({}, never, claim)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
    })
  })
})
