import { silentMeter, type Files } from '@tandemmq/base'
import { encodeProperties } from '@tandemmq/codec'
import { groupConfig, MetadataStore, topicConfig } from '@tandemmq/metadata'
import { MessageStore, type MessageToAppend, type StoreOptions, type StorePorts } from '@tandemmq/storage'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { imageOf, restoreImage, type FileImage } from './file-image.ts'

export const ROOT = '/data/store'
export const GROUP = 'billing'

/** A broker's two stores, as it opens them: messages first, then metadata. */
export interface BrokerStores {
  readonly store: MessageStore
  readonly metadata: MetadataStore
}

/** A machine with the stores of one broker on its simulated disk. Segments are small, so that there are several. */
export class StoreMachine {
  readonly clock = new SimulatedClock()
  readonly logger = new RecordingLogger()
  readonly random = new SeededRandom(1)
  readonly disk: SimulatedFiles

  /** @param image what lies on the disk */
  constructor(image: FileImage = new Map()) {
    this.disk = new SimulatedFiles({ clock: this.clock, random: this.random.fork() })
    restoreImage(this.disk, image)
  }

  open(options: Partial<StoreOptions> = {}): Promise<BrokerStores> {
    return this.clock.outcome(this.#opening(options, this.disk.mount()))
  }

  async openMaster(options: Partial<StoreOptions> = {}): Promise<BrokerStores> {
    const stores = await this.open(options)
    if (stores.store.lineage === undefined) await this.clock.outcome(stores.store.createLineage())
    await this.clock.outcome(stores.store.openEpoch())
    return stores
  }

  async close({ store, metadata }: BrokerStores): Promise<void> {
    await this.clock.outcome(metadata.close())
    await this.clock.outcome(store.close())
  }

  image(): FileImage {
    return imageOf(this.disk, ROOT)
  }

  /** What was put on the disk outlives a power cut. */
  async syncAll(): Promise<void> {
    for (const path of this.image().keys()) {
      const file = this.disk.open(path, 'read-write')
      await this.clock.outcome(file.dataSync())
      for (let above = path; above !== '';) {
        above = above.slice(0, above.lastIndexOf('/'))
        await this.clock.outcome(this.disk.syncDirectory(above === '' ? '/' : above))
      }
    }
  }

  #opening(options: Partial<StoreOptions>, files: Files): Promise<BrokerStores> {
    const { clock, logger, random } = this
    return openStores(options, { files, clock, logger, random, meter: silentMeter })
  }
}

/** As a broker opens its stores, with files small enough for a test. */
export async function openStores(options: Partial<StoreOptions>, ports: StorePorts): Promise<BrokerStores> {
  const complete: StoreOptions = {
    root: ROOT,
    storeHost: { ip: '127.0.0.1', port: 8081 },
    bootId: 'boot-1',
    segmentBytes: 4096,
    consumeQueueFileBytes: 100,
    preZeroBytes: 0,
    maxMessageBytes: 2048,
    owner: { cluster: 'DefaultCluster', set: 'broker-a', role: 'master' },
    ...options,
  }
  const store = await MessageStore.open(complete, ports)
  try {
    const metadata = await MetadataStore.open(
      {
        root: complete.root,
        journalExpected: store.lineage !== undefined && complete.acceptLoss !== true,
        closedCleanly: store.recovery.cleanStop,
      },
      { ...ports, log: { knowsStamp: () => true } },
    )
    return { store, metadata }
  } catch (failure) {
    await store.close()
    throw failure
  }
}

export function message(topic: string, queueId: number, body: string): MessageToAppend {
  return {
    topic,
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: encodeProperties([['TAGS', 'TagA']]),
  }
}

const queues = [
  ['orders', 0],
  ['orders', 1],
  ['payments', 0],
] as const

/** One life of a broker: messages in every queue, flushed, and some of them acknowledged. */
export async function live(machine: StoreMachine, stores: BrokerStores, life: number): Promise<void> {
  const { store, metadata } = stores
  if (metadata.topics.size === 0) {
    for (const name of ['orders', 'payments'])
      metadata.commit({ kind: 'topic-put', topic: topicConfig({ name }) })
    metadata.commit({ kind: 'group-put', group: groupConfig({ name: GROUP }) })
  }
  for (let n = 0; n < 7; n += 1) {
    for (const [topic, queueId] of queues) {
      const text = `life ${life} ${topic} ${queueId} number ${n} ${'.'.repeat(60)}`
      const { queueOffset, offset } = store.append(message(topic, queueId, text))
      if (n % 2 === 1) continue
      const stamp = { logEpoch: store.epochAt(offset), physicalOffset: offset }
      metadata.commit({ kind: 'ack', group: GROUP, topic, queueId, records: [{ queueOffset, stamp }] })
    }
  }
  await machine.clock.outcome(store.flush())
  await machine.clock.outcome(store.dispatched.reached(store.end))
  store.saveConfirmed(store.end)
  await machine.clock.outcome(store.addToRoster('broker-a-1'))
  await machine.clock.outcome(metadata.synced())
  await machine.clock.advance(12_000) // Position file, queues and config files follow.
}

/** What a broker left on its disk: after an orderly stop, or killed in the middle of its third life. */
export async function history(end: 'closed' | 'killed'): Promise<FileImage> {
  const machine = new StoreMachine()
  for (const life of [1, 2]) {
    const stores = await machine.openMaster()
    await live(machine, stores, life)
    await machine.close(stores)
  }
  if (end === 'killed') {
    await live(machine, await machine.openMaster(), 3)
    machine.disk.kill()
  }
  return machine.image()
}
