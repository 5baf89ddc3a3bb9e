import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, silentMeter, type Address } from '@tandemmq/base'
import { HaMaster, HaSlave, type HaPorts, type ReplicatedLog } from '@tandemmq/ha-protocol'
import {
  NodeClock,
  NodeFiles,
  NodeNet,
  NodeRandom,
  TlsCredentials,
  TlsNet,
  type TlsFiles,
} from '@tandemmq/platform-node'
import type { MessageStore } from '@tandemmq/storage'
import { TestAuthority } from '@tandemmq/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { OwnDirectory, openOwn } from '../own-store.test-kit.ts'
import { PeerLog } from './peer-log.ts'
import { fromMaster, fromSlave, type PeerOptions } from './peer-source.ts'
import type { RangeSource } from './range-source.ts'
import { repairStore, type RepairReport } from './repair-store.ts'

const authority = new TestAuthority()
const files = new NodeFiles()
const LOG = 'commitlog/00000000000000065536'
const secret = Buffer.from('the secret of the set')
const peer: PeerOptions = { secret, cluster: 'c', set: 'a', waitMs: 20_000 }
const ports: HaPorts = {
  net: new NodeNet(),
  clock: new NodeClock(),
  random: new NodeRandom(),
  logger: silentLogger,
  meter: silentMeter,
}

function replicated(store: MessageStore): ReplicatedLog {
  return {
    get minOffset() {
      return store.minOffset
    },
    get end() {
      return store.end
    },
    get flushed() {
      return store.flushed.at
    },
    segmentBytes: store.segmentBytes,
    get lineage() {
      return store.lineage
    },
    read: (offset, bytesMax) => store.read(offset, bytesMax),
    append: (at, bytes) => store.appendRaw(at, bytes),
    flush: () => store.flush(),
    checksum: (from, to) => store.checksum(from, to),
    adoptLineage: (lineage) => store.adoptLineage(lineage),
    truncateTo: (offset) => store.truncateTo(offset),
    onAppend: (listener) => store.written.onAdvance(listener),
    onFlush: (listener) => store.flushed.onAdvance(listener),
  }
}

/** Two stores with one log, of which one is damaged in its second file, over some records. */
async function pair(): Promise<{ readonly sound: string; readonly damaged: string }> {
  const own = await OwnDirectory.closed()
  const damaged = mkdtempSync(join(tmpdir(), 'tandemmq-peer-'))
  onTestFinished(() => {
    own[Symbol.dispose]()
    rmSync(damaged, { recursive: true })
  })
  cpSync(own.root, damaged, { recursive: true })
  const bytes = readFileSync(join(damaged, LOG))
  bytes.fill(0, 1024, 3072)
  writeFileSync(join(damaged, LOG), bytes)
  return { sound: own.root, damaged }
}

function repair(root: string, source: RangeSource): Promise<RepairReport> {
  const options = { cut: false, nowMs: 1, confirm: () => Promise.resolve(true), source }
  return repairStore(
    files,
    root,
    options,
    () => {},
    () => {},
  )
}

function expectRepaired(report: RepairReport, { sound, damaged }: { sound: string; damaged: string }): void {
  expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
  expect(report.steps[0]).toMatchObject({ kind: 'fetch', from: 66_056, to: 68_656 })
  expect(readFileSync(join(damaged, LOG))).toEqual(readFileSync(join(sound, LOG)))
}

async function runningMaster(
  root: string,
  tls?: TlsFiles,
): Promise<{ readonly master: HaMaster; readonly store: MessageStore }> {
  const store = await openOwn(root)
  const master = await HaMaster.listen(
    {
      cluster: 'c',
      set: 'a',
      identity: 'a-0',
      instanceId: 'm',
      ...(tls === undefined ? { secret } : { certified: true }),
      address: { host: '127.0.0.1', port: 0 },
      flushRequired: false,
      inSyncReplicas: 2,
    },
    tls === undefined ? ports : { ...ports, net: encrypted(tls) },
    replicated(store),
  )
  onTestFinished(async () => {
    await master.close()
    await store.close()
  })
  return { master, store }
}

test('a slave’s log is repaired from its running master, which counts nothing for it', async () => {
  const stores = await pair()
  const { master, store } = await runningMaster(stores.sound)
  let replicatedTo = 0
  master.replicated.onAdvance((at) => (replicatedTo = Math.max(replicatedTo, at)))
  expectRepaired(await repair(stores.damaged, fromMaster(files, master.address, peer)), stores)
  expect(replicatedTo).toBeLessThanOrEqual(66_056)
  expect(store.end).toBeGreaterThan(68_656)
})

/** Files of a broker with these names in its certificate. */
function tlsFiles(party: string, ...uris: readonly string[]): TlsFiles {
  const directory = mkdtempSync(join(tmpdir(), 'tandemmq-peer-tls-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { cert, key } = authority.issue({ name: party, hosts: ['127.0.0.1'], uris })
  const paths = {
    cert: join(directory, 'cert'),
    key: join(directory, 'key'),
    trust: join(directory, 'trust'),
  }
  writeFileSync(paths.cert, cert)
  writeFileSync(paths.key, key)
  writeFileSync(paths.trust, authority.cert)
  return paths
}

function encrypted(tls: TlsFiles): TlsNet {
  return new TlsNet({ credentials: TlsCredentials.read(tls, ports), mutual: true })
}

test('a slave’s log is repaired from a master that knows it by its certificate, and no other broker is', async () => {
  const tls = tlsFiles('a-1', 'tandemmq://c/a')
  const secretless: PeerOptions = { tls, cluster: 'c', set: 'a', waitMs: 20_000 }
  const stores = await pair()
  const { master } = await runningMaster(stores.sound, tlsFiles('a-0', 'tandemmq://c/a/a-0'))
  const stranger = { ...secretless, tls: tlsFiles('b-1', 'tandemmq://c/b') }
  await expect(repair(stores.damaged, fromMaster(files, master.address, stranger))).rejects.toThrow(
    'the certificate of slave "a-1" names tandemmq://c/b',
  )
  expectRepaired(await repair(stores.damaged, fromMaster(files, master.address, secretless)), stores)
})

test('to the other broker the damaged log ends where the damage begins, whatever has come', () => {
  const store = {
    root: '/nowhere',
    first: 0,
    end: 1000,
    segmentBytes: 65_536,
    lineage: undefined,
    read: (_offset: number, length: number) => Buffer.alloc(length),
  }
  const taken: number[] = []
  const done = Promise.withResolvers<void>()
  const log = new PeerLog(store, 100, 300, (offset, bytes) => taken.push(offset, bytes.length), done)
  log.append(100, Buffer.alloc(150))
  log.append(250, Buffer.alloc(150))
  log.append(400, Buffer.alloc(150))
  expect(taken).toEqual([100, 150, 250, 50])
  expect(log).toMatchObject({ end: 100, flushed: 100 })
  expect(() => log.read()).toThrow('serves nobody')
})

test('a master with another secret, or of another log, is not believed', async () => {
  const { damaged } = await pair()
  const other = await pair()
  const { master } = await runningMaster(other.sound)
  const before = readFileSync(join(damaged, LOG))
  const wrong = { ...peer, secret: Buffer.from('another secret of the set') }
  await expect(repair(damaged, fromMaster(files, master.address, wrong))).rejects.toThrow('another secret')
  await expect(repair(damaged, fromMaster(files, master.address, peer))).rejects.toThrow(
    'has not sent the bytes',
  )
  expect(readFileSync(join(damaged, LOG))).toEqual(before)
})

async function freeAddress(): Promise<Address> {
  const free = await ports.net.listen({ host: '127.0.0.1', port: 0 }, (connection) => connection.destroy())
  await free.close()
  return free.address
}

test.each(['with a secret', 'in mutual TLS'])(
  'a master’s log is repaired from its running slave, which comes to the port of the stopped master %s',
  async (how) => {
    const isSecret = how === 'with a secret'
    const stores = await pair()
    const store = await openOwn(stores.sound)
    const address = await freeAddress()
    const slave = HaSlave.start(
      {
        cluster: 'c',
        set: 'a',
        identity: 'a-1',
        instanceId: 's',
        ...(isSecret ? { secret } : { certified: true }),
        masterAddress: address,
      },
      isSecret ? ports : { ...ports, net: encrypted(tlsFiles('a-1', 'tandemmq://c/a/a-1')) },
      replicated(store),
    )
    const end = store.end
    try {
      const own = isSecret
        ? peer
        : { tls: tlsFiles('a-0', 'tandemmq://c/a'), cluster: 'c', set: 'a', waitMs: 20_000 }
      expectRepaired(await repair(stores.damaged, fromSlave(files, address, own)), stores)
      expect(store.end).toBe(end)
    } finally {
      slave.close()
      await store.close()
    }
  },
)

test('a slave that follows another master than the store is taken for is named, with the flag that says which it is', async () => {
  const stores = await pair()
  const store = await openOwn(stores.sound)
  const address = await freeAddress()
  const slave = HaSlave.start(
    { cluster: 'c', set: 'a', identity: 'a-1', instanceId: 's', secret, masterAddress: address },
    ports,
    replicated(store),
  )
  onTestFinished(async () => {
    slave.close()
    await store.close()
  })
  const asSlave = { ...peer, identity: 'a-1', waitMs: 1_500 }
  await expect(repair(stores.damaged, fromSlave(files, address, asSlave))).rejects.toThrow(
    'slave "a-1" has come, and was not accepted as one of a-1 (--as)',
  )
})

test('where nobody answers, nothing is changed', async () => {
  const { damaged } = await pair()
  const before = readFileSync(join(damaged, LOG))
  const impatient = { ...peer, waitMs: 300 }
  const nowhere = { host: '127.0.0.1', port: 1 }
  await expect(repair(damaged, fromMaster(files, nowhere, impatient))).rejects.toThrow(
    'has not sent the bytes',
  )
  await expect(repair(damaged, fromSlave(files, { host: '127.0.0.1', port: 0 }, impatient))).rejects.toThrow(
    'no slave has come',
  )
  expect(readFileSync(join(damaged, LOG))).toEqual(before)
})
