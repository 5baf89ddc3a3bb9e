import { monitorEventLoopDelay } from 'node:perf_hooks'
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { MessageStore, QueueReader } from '@tandemmq/storage'
import { contestFigures } from './contest.ts'
import { QUEUES, TOPIC, messagesOf } from './messages.ts'
import { rounded } from './measure.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster } from './store-stand.ts'

const BODY_BYTES = 1024
/** What a consumer asks for at a time. */
const BATCH = 32
const LOG_MESSAGES = 200_000
/** Of the newest so many, all are in the memory of the tail (4 MiB). */
const TAIL_MESSAGES = 2048

/**
 * Reading messages of 1 KB in batches of 32, as a consumer does: units of a queue, then the records they lead to. The tail comes from memory; cold
 * ones from files, which the system may have cached, off the event loop. The floor of both: one read of each record's bytes, and a checksum over its body.
 */
export async function readCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using directory = await BenchDirectory.make(plan.directory)
  await using store = await openMaster(directory.path, { segmentBytes: 64 * 1024 * 1024 })
  const make = messagesOf(BODY_BYTES)
  const count = Math.max(4 * TAIL_MESSAGES, plan.scaled(LOG_MESSAGES))
  const { size: recordBytes } = store.append(make(0))
  for (let n = 1; n < count; n += 1) {
    store.append(make(n))
    if (n % BATCH === 0) await store.dispatched.reached(store.end)
  }
  await store.dispatched.reached(store.end)
  const perQueue = Math.floor(count / QUEUES)
  const tail = Math.floor(TAIL_MESSAGES / QUEUES)
  const rounds = Math.max(1, Math.floor(count / TAIL_MESSAGES / 4))
  const floor = (records: number): void => readBare(directory.path, records, recordBytes)
  const tailRead = await contestFigures(plan.rounds, {
    count: rounds * TAIL_MESSAGES,
    ours: async () => {
      for (let round = 0; round < rounds; round += 1) await readAll(store, perQueue - tail, perQueue)
    },
    floor: () => floor(rounds * TAIL_MESSAGES),
  })
  const cold = perQueue - 2 * tail
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const coldRead = await contestFigures(plan.rounds, {
    count: cold * QUEUES,
    ours: () => readAll(store, 0, cold),
    floor: async () => {
      delay.disable()
      floor(cold * QUEUES)
      delay.enable()
    },
  })
  return {
    tail: { [BODY_BYTES]: tailRead },
    cold: { [BODY_BYTES]: { ...coldRead, loopDelayMaxMs: rounded(delay.max / 1e6) } },
  }
}

/** All queues of the topic together, as its consumers do. */
async function readAll(store: MessageStore, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += BATCH) {
    for (let queueId = 0; queueId < QUEUES; queueId += 1) {
      const queue = store.queue(TOPIC, queueId)
      if (queue === undefined) throw new Error('the queue is missing')
      await readBatch(store, queue, at, Math.min(BATCH, to - at))
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}

async function readBatch(store: MessageStore, queue: QueueReader, at: number, count: number): Promise<void> {
  const units = queue.units(at, count).filter((unit) => unit !== undefined)
  if (units.length < count) throw new Error('units are missing')
  if (!units.every((unit) => store.isInMemory(unit))) await store.warm(units)
  for (const { offset, size } of units) store.record(offset, size)
}

function readBare(root: string, count: number, recordBytes: number): void {
  const descriptor = openSync(join(root, 'commitlog', '00000000000000000000'), 'r')
  const record = Buffer.alloc(recordBytes)
  const inFile = Math.floor((60 * 1024 * 1024) / recordBytes)
  let sum = 0
  for (let n = 0; n < count; n += 1) {
    readSync(descriptor, record, 0, recordBytes, (n % inFile) * recordBytes)
    sum = crc32(record.subarray(0, BODY_BYTES), sum)
  }
  closeSync(descriptor)
}
