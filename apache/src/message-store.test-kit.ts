import { silentLogger, silentMeter } from '@tandemmq/base'
import type { Host } from '@tandemmq/codec'
import { NodeClock, NodeFiles, NodeRandom, bootId } from '@tandemmq/platform-node'
import { MessageStore } from '@tandemmq/storage'
import { expect } from 'vitest'
import { expectedQueues, seenAs } from './expected-queues.ts'
import { readLog } from './log-file-records.ts'

/** The shape of Apache's index files. */
export const APACHE_INDEX = { slots: 5_000_000, entries: 20_000_000 }

/** Our store alone, on real files, without a broker around it. */
export function openStore(
  root: string,
  storeHost: Host = { ip: '127.0.0.1', port: 10911 },
  isBatchTopic: (topic: string) => boolean = () => false,
): Promise<MessageStore> {
  const ports = {
    files: new NodeFiles(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    logger: silentLogger,
    meter: silentMeter,
  }
  const options = {
    root,
    storeHost,
    bootId: bootId(),
    segmentBytes: 1024 * 1024,
    index: APACHE_INDEX,
    isBatchTopic,
  }
  return MessageStore.open(options, ports)
}

/** Demands that our store serves every message in the log's files by queue offset, each as it was written. Returns how many. */
export function weServeAll(store: MessageStore, root: string): number {
  let served = 0
  for (const { topic, queueId, messages } of expectedQueues(readLog(root).records)) {
    const queue = store.queue(topic, queueId)
    const seen = messages.map(({ queueOffset }) => {
      const unit = queue?.unit(queueOffset)
      return unit === undefined ? undefined : seenAs(store.record(unit.offset, unit.size))
    })
    expect(seen, `${topic}-${queueId}`).toEqual(messages)
    expect(queue?.maxOffset).toBe(messages.length)
    served += messages.length
  }
  return served
}
