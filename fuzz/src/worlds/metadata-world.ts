import { MetadataStore, groupConfig, topicConfig, type Change } from '@tandemmq/metadata'
import { DiskWorld, type FileMap } from './disk-world.ts'

/** A log that holds every record. */
const log = { knowsStamp: () => true } as const

export function openMetadata(
  world: DiskWorld,
  root: string | undefined = world.root,
): Promise<MetadataStore> {
  const options = root === undefined ? {} : { root }
  return world.clock.outcome(MetadataStore.open(options, { ...world.ports(), log }))
}

/** One kept in memory. */
export function metadataInMemory(world: DiskWorld): Promise<MetadataStore> {
  return world.clock.outcome(MetadataStore.open({}, { ...world.ports(), log }))
}

const key = { group: 'G', topic: 'Orders', queueId: 0 } as const

function delivery(queueOffset: number): Extract<Change, { kind: 'lease' }>['deliveries'][number] {
  const stamp = { logEpoch: 1, physicalOffset: queueOffset * 100 }
  return { queueOffset, stamp, attempt: 1, deliveredAt: 1_735_689_600_000, invisibleMs: 30_000 }
}

/** One change of each kind that a client can bring about. */
export const usualChanges: readonly Change[] = [
  { kind: 'topic-put', topic: topicConfig({ name: 'Orders', readQueues: 8, type: 'FIFO' }) },
  { kind: 'topic-put', topic: topicConfig({ name: 'Gone' }) },
  { kind: 'topic-delete', name: 'Gone' },
  { kind: 'group-put', group: groupConfig({ name: 'G', orderly: true }) },
  { kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(0), delivery(1), delivery(5)] },
  { kind: 'visibility', ...key, servingEpoch: 1, delivery: { ...delivery(1), invisibleMs: 1000 } },
  { kind: 'ack', ...key, records: [{ queueOffset: 0, stamp: { logEpoch: 1, physicalOffset: 0 } }] },
  { kind: 'delay', done: [{ queueOffset: 3, stamp: { logEpoch: 1, physicalOffset: 300 } }] },
  { kind: 'delay-levels', levels: [[3, 17]] },
  { kind: 'moved', from: 3, to: 4 },
]

/** What a broker itself knows or forgets, with the internal writes that settled it. */
export const ownChanges: readonly Change[] = [
  { kind: 'diverged', ...key, end: 4 },
  { kind: 'unsettled', ...key, offsets: [[2, 3]] },
  {
    kind: 'progress',
    ...key,
    generation: { servingEpoch: 1, counter: 1 },
    voidFrom: 9,
    acked: [[0, 3]],
    marks: [{ queueOffset: 2, stamp: { logEpoch: 1, physicalOffset: 200 } }],
    leases: [],
    settling: {
      writes: [{ queueOffset: 2, write: { logEpoch: 1, physicalOffset: 700 } }],
      horizon: { logEpoch: 1, physicalOffset: 600 },
    },
  },
]

/** The files of a metadata store that has lived, sorted by path; always the same. */
export async function metadataTemplate(): Promise<FileMap> {
  const world = new DiskWorld()
  const store = await openMetadata(world)
  for (const change of usualChanges) store.commit(change)
  await world.clock.outcome(store.persist())
  await world.clock.outcome(store.close())
  return new Map([...world.files()].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
