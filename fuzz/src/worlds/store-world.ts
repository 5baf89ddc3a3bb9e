import type { MessageToAppend } from '@tandemmq/storage'
import { MessageStore } from '@tandemmq/storage'
import { DiskWorld, type FileMap } from './disk-world.ts'

/** Small files, so that every kind of boundary is in them. */
export const SEGMENT_BYTES = 4096

export function openStore(world: DiskWorld): Promise<MessageStore> {
  return world.clock.outcome(
    MessageStore.open(
      {
        root: world.root,
        storeHost: { ip: '10.0.0.2', port: 10_911 },
        bootId: 'boot',
        segmentBytes: SEGMENT_BYTES,
        consumeQueueFileBytes: 400,
        batchQueueFileBytes: 92,
        isBatchTopic: (topic) => topic === 'Batches',
        lightQueues: true,
        maxMessageBytes: 2048,
        preZeroBytes: 0,
      },
      world.ports(),
    ),
  )
}

export function messageTo(topic: string, body: string): MessageToAppend {
  return {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_735_689_600_000,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: 'UNIQ_KEY\u0001K\u0002TAGS\u0001a\u0002',
  }
}

/** The files of a store with two segments of messages, closed cleanly; sorted by path, always the same. */
export async function storeTemplate(): Promise<FileMap> {
  const world = new DiskWorld()
  const store = await openStore(world)
  await world.clock.outcome(store.createLineage())
  await world.clock.outcome(store.openEpoch())
  for (let index = 0; index < 30; index += 1)
    store.append(messageTo(index % 3 === 0 ? 'Bills' : 'Orders', `${index}`.repeat(20)))
  const message = messageTo('Batches', 'together')
  for (let index = 0; index < 3; index += 1) store.appendBatch({ ...message, messages: [message, message] })
  const asking = messageTo('Orders', 'light')
  store.append({
    ...asking,
    properties: `${asking.properties}INNER_MULTI_DISPATCH\u0001%LMQ%one,%LMQ%two\u0002`,
  })
  await world.clock.outcome(store.dispatched.reached(store.end))
  await world.clock.outcome(store.close())
  return new Map([...world.files()].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
