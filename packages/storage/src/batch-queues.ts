import { systemCodeOf, type LogOffset, type QueueOffset } from '@tandemmq/base'
import { readBatchExtent } from './batch-queue-extent.ts'
import { BatchQueue } from './batch-queue.ts'
import type { Arrival } from './arrival.ts'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import type { RecordAt } from './consume-queues.ts'
import type { QueueTrust } from './queue-extent.ts'
import { isQueueId, isTopicName } from './topic-name.ts'

/** Last units that may disagree with the log before a queue counts as damaged. */
const DISAGREEMENTS_MAX = 64

/** The queues of topics whose attribute `queue.type` is `BatchCQ`, in `batchconsumequeue/`. */
export class BatchQueues {
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  readonly #queues = new Map<string, BatchQueue>()
  readonly #pending = new Set<BatchQueue>()

  constructor(directory: string, files: ConsumeQueueFiles) {
    this.#directory = directory
    this.#files = files
  }

  /** As `ConsumeQueues.load`. */
  load(trust: QueueTrust, minOffset: LogOffset, recordAt: RecordAt | undefined): boolean {
    let sound = true
    for (const { topic, queueId, directory } of this.#onFile()) {
      const extent = readBatchExtent(this.#files, directory, trust)
      if (extent === undefined) continue
      const queue = new BatchQueue(topic, queueId, directory, this.#files, extent)
      this.#queues.set(keyOf(topic, queueId), queue)
      if (recordAt !== undefined && !dropTornEnd(queue, minOffset, recordAt)) sound = false
      if (queue.minOffset > queue.maxOffset) sound = false
      queue.advanceMin(minOffset)
      if (recordAt !== undefined) queue.assumeDirty()
    }
    return sound
  }

  find(topic: string, queueId: number): BatchQueue | undefined {
    return this.#queues.get(keyOf(topic, queueId))
  }

  all(): Iterable<BatchQueue> {
    return this.#queues.values()
  }

  put(arrival: Arrival): void {
    const { topic, queueId, offset, size, tagsCode, storeTimestamp, queueOffset, messages } = arrival
    const queue = this.find(topic, queueId) ?? this.#create(topic, queueId)
    const unit = {
      offset,
      size,
      tagsCode,
      storeTimestamp,
      baseOffset: queueOffset,
      batchSize: messages,
      compactedOffset: -1,
    }
    if (queue.put(unit)) this.#pending.add(queue)
  }

  /** A queue of which the log has nothing any more goes on at `queueOffset`. */
  goOnAt(topic: string, queueId: number, queueOffset: QueueOffset): void {
    if (this.find(topic, queueId) === undefined) this.#create(topic, queueId).goOnAt(queueOffset)
  }

  writePending(): void {
    for (const queue of this.#pending) queue.writePending()
  }

  dropPending(): void {
    for (const queue of this.#pending) queue.dropPending()
    this.#pending.clear()
  }

  reset(): void {
    for (const { directory } of this.#onFile()) this.#files.cutAll(directory, 0)
    this.#queues.clear()
    this.#pending.clear()
  }

  sync(): Promise<void> {
    return this.#files.sync()
  }

  close(): void {
    this.#files.close()
  }

  #create(topic: string, queueId: number): BatchQueue {
    const directory = `${this.#directory}/${topic}/${queueId}`
    const queue = new BatchQueue(topic, queueId, directory, this.#files, undefined)
    this.#queues.set(keyOf(topic, queueId), queue)
    return queue
  }

  *#onFile(): Iterable<{ readonly topic: string; readonly queueId: number; readonly directory: string }> {
    for (const topic of this.#files.list(this.#directory)) {
      if (!isTopicName(topic)) continue
      for (const name of this.#namesIn(`${this.#directory}/${topic}`)) {
        const queueId = /^\d{1,10}$/.test(name) ? Number(name) : Number.NaN
        if (isQueueId(queueId)) yield { topic, queueId, directory: `${this.#directory}/${topic}/${name}` }
      }
    }
  }

  /** A file among the directories is none of ours. */
  #namesIn(directory: string): readonly string[] {
    try {
      return this.#files.list(directory)
    } catch (failure) {
      if (systemCodeOf(failure) === 'ENOTDIR') return []
      throw failure
    }
  }
}

/** A killed process can leave the last unit half written. False if more than that is wrong. */
function dropTornEnd(queue: BatchQueue, minOffset: LogOffset, recordAt: RecordAt): boolean {
  for (let attempt = 0; attempt < DISAGREEMENTS_MAX; attempt += 1) {
    const unit = queue.last
    if (unit === undefined || unit.offset < minOffset) return true
    const record = recordAt(unit.offset)
    if (
      record?.size === unit.size &&
      record.topic === queue.topic &&
      record.queueId === queue.queueId &&
      record.queueOffset === unit.baseOffset
    )
      return true
    queue.cutLast()
  }
  return false
}

function keyOf(topic: string, queueId: number): string {
  return `${topic}/${queueId}`
}
