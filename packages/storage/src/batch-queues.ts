import { systemCodeOf, type LogOffset, type QueueOffset } from '@tandemmq/base'
import type { BatchUnit } from '@tandemmq/codec'
import { readBatchExtent } from './batch-queue-extent.ts'
import { BatchQueue } from './batch-queue.ts'
import { arrivalOf, type Arrival } from './arrival.ts'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import type { QueueTrust } from './queue-extent.ts'
import type { RecordAt } from './record-at.ts'
import { isQueueId, isTopicName } from './topic-name.ts'

/** Last units that may disagree with the log before a queue counts as damaged. */
const DISAGREEMENTS_MAX = 64

/** Units of an ordinary queue that are taken over at a time. */
const UNITS_AT_A_TIME = 1000

/** The queues of topics whose attribute `queue.type` is `BatchCQ`, in `batchconsumequeue/`. */
export class BatchQueues {
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  readonly #queues = new Map<string, BatchQueue>()
  readonly #topics = new Set<string>()
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
      this.#add(queue)
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

  /** Whether there is a queue of the topic. */
  hasTopic(topic: string): boolean {
    return this.#topics.has(topic)
  }

  all(): Iterable<BatchQueue> {
    return this.#queues.values()
  }

  put(arrival: Arrival, logMinOffset: LogOffset): void {
    const { topic, queueId, queueOffset } = arrival
    const queue = this.find(topic, queueId) ?? this.#create(topic, queueId)
    if (queueOffset < queue.maxOffset) queue.advanceMin(logMinOffset)
    if (queue.put(unitOf(arrival))) this.#pending.add(queue)
  }

  /**
   * All that an ordinary queue holds becomes a batch queue's, in its place. Of a record that cannot be read any more its unit tells enough: dispatch
   * takes nothing for an inner batch that it has not read.
   */
  takeOver(from: ConsumeQueue, logMinOffset: LogOffset, recordAt: RecordAt): void {
    const { topic, queueId, minOffset, maxOffset } = from
    this.remove(topic, queueId)
    const queue = this.#newQueue(topic, queueId)
    let storeTimestamp = 0
    for (let at = minOffset; at < maxOffset;) {
      const units = from.units(at, UNITS_AT_A_TIME)
      for (const [index, unit] of units.entries()) {
        if (unit === undefined) continue
        const record = recordAt(unit.offset, unit.size)
        const arrival = record && arrivalOf(record, unit.offset, unit.size)
        storeTimestamp = arrival?.storeTimestamp ?? storeTimestamp
        const single = { ...unit, queueOffset: at + index, storeTimestamp, messages: 1 }
        queue.put(unitOf(arrival ?? single))
      }
      queue.writePending()
      at += units.length
    }
    if (queue.maxOffset < maxOffset) queue.goOnAt(maxOffset, logMinOffset)
    this.#add(queue)
  }

  /** A queue is gone, with its files. */
  remove(topic: string, queueId: number): void {
    const queue = this.find(topic, queueId)
    if (queue !== undefined) this.#pending.delete(queue)
    this.#queues.delete(keyOf(topic, queueId))
    this.#files.removeAll(`${this.#directory}/${topic}/${queueId}`)
  }

  /** A queue of which the log has nothing any more goes on at `queueOffset`. */
  goOnAt(topic: string, queueId: number, queueOffset: QueueOffset, logMinOffset: LogOffset): void {
    this.#create(topic, queueId).goOnAt(queueOffset, logMinOffset)
  }

  writePending(): void {
    for (const queue of this.#pending) queue.writePending()
  }

  dropPending(): void {
    for (const queue of this.#pending) queue.dropPending()
    this.#pending.clear()
  }

  reset(): void {
    for (const { directory } of this.#onFile()) this.#files.removeAll(directory)
    this.#queues.clear()
    this.#topics.clear()
    this.#pending.clear()
  }

  sync(isEnough?: () => boolean): Promise<boolean> {
    return this.#files.sync(isEnough)
  }

  close(): void {
    this.#files.close()
  }

  #create(topic: string, queueId: number): BatchQueue {
    const queue = this.#newQueue(topic, queueId)
    this.#add(queue)
    return queue
  }

  #newQueue(topic: string, queueId: number): BatchQueue {
    return new BatchQueue(topic, queueId, `${this.#directory}/${topic}/${queueId}`, this.#files, undefined)
  }

  #add(queue: BatchQueue): void {
    this.#queues.set(keyOf(queue.topic, queue.queueId), queue)
    this.#topics.add(queue.topic)
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

type PlacedRecord = Pick<
  Arrival,
  'offset' | 'size' | 'tagsCode' | 'storeTimestamp' | 'queueOffset' | 'messages'
>

function unitOf(record: PlacedRecord): BatchUnit {
  const { offset, size, tagsCode, storeTimestamp, queueOffset, messages } = record
  return {
    offset,
    size,
    tagsCode,
    storeTimestamp,
    baseOffset: queueOffset,
    batchSize: messages,
    compactedOffset: -1,
  }
}

function keyOf(topic: string, queueId: number): string {
  return `${topic}/${queueId}`
}
