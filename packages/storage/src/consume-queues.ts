import { systemCodeOf, type LogOffset, type QueueOffset } from '@tandemmq/base'
import { SysFlag, UNIT_BYTES, type ConsumeQueueUnit, type LogRecord } from '@tandemmq/codec'
import type { Arrival } from './arrival.ts'
import type { BatchQueues } from './batch-queues.ts'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import { ConsumeQueue, type QueueReader } from './consume-queue.ts'
import { LIGHT_QUEUES_MAX, isLightQueue, lightPlacesOf, mayHaveLightPlaces } from './light-queues.ts'
import { QueueExtensions } from './queue-extensions.ts'
import { readQueueExtent, type QueueTrust } from './queue-extent.ts'
import type { RecordAt } from './record-at.ts'
import { canBeQueued, isQueueId, isQueuePlace, isTopicName } from './topic-name.ts'
import { RetiredQueues } from './retired-queues.ts'
import type { UnqueuedRecords } from './unqueued-records.ts'

/** Last units that may disagree with the log before a queue counts as damaged. */
const DISAGREEMENTS_MAX = 64

/** Queues whose begin is looked for in one turn: each may open a file and read it in a few places. */
const QUEUES_PER_TURN = 64

type QueuePlace = Pick<Arrival, 'topic' | 'queueId' | 'queueOffset'>

type HeldRecord = Pick<LogRecord, 'topic' | 'queueId' | 'queueOffset' | 'sysFlag' | 'properties'>

/**
 * All consume queues of a store, by topic and queue. Which kind those of a topic are, its configuration says (RocketMQ: `queue.type`, which cannot be changed; a
 * store whose directories say otherwise does not start there). That may be known later than the log, or never: an inner batch says it too, and
 * what was an ordinary queue until then becomes a batch queue.
 */
export class ConsumeQueues {
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  readonly #unqueued: UnqueuedRecords
  readonly #topics = new Map<string, Map<number, ConsumeQueue>>()
  readonly #pending = new Set<ConsumeQueue>()
  readonly extensions: QueueExtensions
  readonly batches: BatchQueues
  readonly #isBatchTopic: (topic: string) => boolean
  /** Those that batch queues have taken over. */
  readonly #retired: RetiredQueues
  #lightQueues = 0
  /** Messages below are gone from the log. */
  #logMinOffset: LogOffset = 0
  /** Reads the log for a queue that becomes a batch queue. */
  recordAt: RecordAt = () => undefined

  /** `isBatchTopic`: by its configuration, as far as that is known; an inner batch makes its topic one in any case. */
  constructor(
    directory: string,
    files: ConsumeQueueFiles,
    unqueued: UnqueuedRecords,
    batches: BatchQueues,
    isBatchTopic: (topic: string) => boolean,
  ) {
    this.batches = batches
    this.#isBatchTopic = isBatchTopic
    this.extensions = new QueueExtensions(`${directory}_ext`, files)
    this.#directory = directory
    this.#files = files
    this.#retired = new RetiredQueues(files)
    this.#unqueued = unqueued
  }

  /**
   * Opens what is on file. With `recordAt`, which stands for a stop that was not clean, the last unit of each queue is
   * compared with the log, and dropped while it disagrees; what was not synced will be. False: a queue is damaged beyond that, all must be built again.
   */
  load(trust: QueueTrust, minOffset: LogOffset, recordAt: RecordAt | undefined): boolean {
    this.#logMinOffset = minOffset
    let sound = this.batches.load(trust, minOffset, recordAt)
    for (const topic of this.#files.list(this.#directory)) {
      if (!isTopicName(topic)) continue
      for (const name of this.#namesIn(`${this.#directory}/${topic}`)) {
        const queueId = /^\d{1,10}$/.test(name) ? Number(name) : Number.NaN
        if (!isQueueId(queueId)) continue
        const directory = `${this.#directory}/${topic}/${name}`
        // What was to become a batch queue has not: all of it is here still.
        const extent = readQueueExtent(this.#files, directory, trust)
        if (extent === undefined) continue
        if (this.batches.find(topic, queueId) !== undefined) this.batches.remove(topic, queueId)
        if (!this.#files.holds(directory, (extent.end - 1) * UNIT_BYTES)) {
          sound = false // The file before the last one is gone.
          continue
        }
        const queue = new ConsumeQueue(topic, queueId, directory, this.#files, extent, this.extensions)
        this.#add(queue)
        if (recordAt !== undefined && !dropTornEnd(queue, minOffset, recordAt)) sound = false
        queue.advanceMin(minOffset)
        queue.look()
        if (recordAt !== undefined) queue.assumeDirty(trust.synced)
      }
    }
    return sound
  }

  find(topic: string, queueId: number): ConsumeQueue | undefined {
    return this.#topics.get(topic)?.get(queueId)
  }

  /** As {@link find}, of either kind. */
  reader(topic: string, queueId: number): QueueReader | undefined {
    return this.find(topic, queueId) ?? this.batches.find(topic, queueId)
  }

  /** As {@link all}, of either kind. */
  *readers(): Iterable<QueueReader> {
    yield* this.all()
    yield* this.batches.all()
  }

  /** All but those of batch topics. */
  *all(): Iterable<ConsumeQueue> {
    for (const queues of this.#topics.values()) yield* queues.values()
  }

  /**
   * Adds a record to its queue, which is created with its first record. Readers see it after {@link writePending}. False: there can be no such queue,
   * the record stays in the log only.
   */
  put(arrival: Arrival): boolean {
    const queue = this.find(arrival.topic, arrival.queueId)
    // A queue that is there has a name that can be.
    const canBe = queue === undefined ? canBeQueued(arrival) : isQueuePlace(arrival.queueOffset)
    // Places in light queues are single ones, whatever somebody has configured.
    if (!canBe || (arrival.isInnerBatch && isLightQueue(arrival.topic))) {
      this.#unqueued.note(arrival)
      return false
    }
    if (arrival.isInnerBatch || this.#isForBatches(arrival.topic)) this.#putBatch(arrival)
    else this.#putInto(queue, arrival, arrival)
    for (const place of lightPlacesOf(arrival.topic, arrival.properties)) {
      if (this.hasRoomFor([place.topic])) this.#putInto(this.find(place.topic, place.queueId), place, arrival)
      else this.#unqueued.note({ ...arrival, ...place })
    }
    return true
  }

  /** Whether {@link put} would find the place taken of a record that has no other: a cheap look, where most are there. */
  holds({ topic, queueId, queueOffset, sysFlag, properties }: HeldRecord): boolean {
    const queue = this.find(topic, queueId)
    if (queue === undefined || !queue.isTaken(queueOffset)) return false
    return (sysFlag & SysFlag.innerBatch) === 0 && !mayHaveLightPlaces(properties)
  }

  /** Whether there may be all of these light queues (Apache: maxLmqConsumeQueueNum). */
  hasRoomFor(lightQueues: readonly string[]): boolean {
    const fresh = lightQueues.filter((name) => this.find(name, 0) === undefined)
    return fresh.length === 0 || this.#lightQueues + fresh.length <= LIGHT_QUEUES_MAX
  }

  /** A queue of which the log has nothing any more goes on at `queueOffset`; others know better. `isBatch`: it was a batch queue. */
  goOnAt(topic: string, queueId: number, queueOffset: QueueOffset, isBatch: boolean): void {
    if (queueOffset === 0 || this.reader(topic, queueId) !== undefined) return
    if (isBatch || this.#isForBatches(topic))
      this.batches.goOnAt(topic, queueId, queueOffset, this.#logMinOffset)
    else this.#create(topic, queueId).goOnAt(queueOffset)
  }

  /** Shows readers what was put. After a failure, which it throws, nothing of the batch that is not shown counts. */
  writePending(): void {
    try {
      for (const queue of this.#pending) queue.writePending()
      this.batches.writePending()
    } finally {
      for (const queue of this.#pending) queue.dropPending()
      this.batches.dropPending()
      this.#pending.clear()
    }
  }

  /** Removes the units of records at or behind `logEnd`. */
  cut(logEnd: LogOffset): void {
    for (const queue of this.all()) queue.cut(logEnd)
    for (const queue of this.batches.all()) queue.cut(logEnd)
  }

  /**
   * Messages below `logMinOffset` are gone from the log: queues begin later, and files that lead nowhere are removed. In small steps, between
   * which `pause` lets others work; false from it ends the work, which can be done again at any time.
   */
  async expire(logMinOffset: LogOffset, pause: () => Promise<boolean>): Promise<void> {
    this.#logMinOffset = logMinOffset
    let count = 0
    for (const queue of [...this.all(), ...this.batches.all()]) {
      if (this.reader(queue.topic, queue.queueId) !== queue) continue // A batch queue has taken it over meanwhile.
      queue.advanceMin(logMinOffset)
      queue.removeExpired()
      if (queue instanceof ConsumeQueue) this.extensions.expire(queue)
      count += 1
      if (count % QUEUES_PER_TURN === 0 && !(await pause())) return
    }
  }

  /** Forgets everything, on disk too: the queues are built again from the log. */
  reset(): void {
    for (const topic of this.#files.list(this.#directory)) {
      if (!isTopicName(topic)) continue
      for (const name of this.#namesIn(`${this.#directory}/${topic}`)) {
        if (/^\d{1,10}$/.test(name)) this.#files.removeAll(`${this.#directory}/${topic}/${name}`)
      }
    }
    this.#topics.clear()
    this.#pending.clear()
    this.#retired.forget()
    this.#lightQueues = 0
    this.batches.reset()
  }

  /** Batch queues take over what ordinary ones hold of their topics, as far as that is known: the next who opens this store may look at both. */
  settleKinds(): void {
    for (const topic of this.#topics.keys()) if (this.#isForBatches(topic)) this.#takeOver(topic)
  }

  /** Puts everything on disk. False: `isEnough` has said so before it was. */
  async sync(isEnough?: () => boolean): Promise<boolean> {
    const { directories } = this.#retired
    if (!(await this.#files.sync(isEnough)) || !(await this.batches.sync(isEnough))) return false
    await this.#retired.remove(directories, async () => void (await this.#files.sync()))
    return true
  }

  close(): void {
    this.#files.close()
    this.batches.close()
  }

  /** What lies in a topic's directory. A file among the directories is none of ours. */
  #namesIn(directory: string): readonly string[] {
    try {
      return this.#retired.finish(directory, this.#files.list(directory))
    } catch (failure) {
      if (systemCodeOf(failure) === 'ENOTDIR') return []
      throw failure
    }
  }

  #create(topic: string, queueId: number): ConsumeQueue {
    const directory = this.#directoryOf(topic, queueId)
    const queue = new ConsumeQueue(topic, queueId, directory, this.#files, undefined, this.extensions)
    this.#add(queue)
    return queue
  }

  #isForBatches(topic: string): boolean {
    return (this.batches.hasTopic(topic) || this.#isBatchTopic(topic)) && !isLightQueue(topic)
  }

  #putBatch(arrival: Arrival): void {
    this.#takeOver(arrival.topic)
    this.batches.put(arrival, this.#logMinOffset)
  }

  /** Ordinary queues of a batch topic become batch queues. After a failure the next record of the topic brings the next attempt. */
  #takeOver(topic: string): void {
    const queues = this.#topics.get(topic)
    if (queues === undefined) return
    for (const [queueId, queue] of queues) {
      queue.writePending()
      this.batches.takeOver(queue, this.#logMinOffset, this.recordAt)
      this.#pending.delete(queue)
      queues.delete(queueId)
      this.#retired.add(this.#directoryOf(topic, queueId))
    }
    this.#topics.delete(topic)
  }

  #directoryOf(topic: string, queueId: number): string {
    return `${this.#directory}/${topic}/${queueId}`
  }

  /** `known`: the queue, if it is there. */
  #putInto(known: ConsumeQueue | undefined, place: QueuePlace, unit: ConsumeQueueUnit): void {
    const queue = known ?? this.#create(place.topic, place.queueId)
    // Whether it has a message left is looked at after an expiry in small steps only.
    if (place.queueOffset < queue.nextOffset) queue.advanceMin(this.#logMinOffset)
    if (queue.put(place.queueOffset, unit)) this.#pending.add(queue)
  }

  #add(queue: ConsumeQueue): void {
    let queues = this.#topics.get(queue.topic)
    if (queues === undefined) {
      queues = new Map()
      this.#topics.set(queue.topic, queues)
    }
    queues.set(queue.queueId, queue)
    if (isLightQueue(queue.topic)) this.#lightQueues += 1
  }
}

/** A killed process can leave the last unit half written. False if more than that is wrong. */
function dropTornEnd(queue: ConsumeQueue, minOffset: LogOffset, recordAt: RecordAt): boolean {
  for (let attempt = 0; attempt < DISAGREEMENTS_MAX; attempt += 1) {
    const last = queue.maxOffset - 1
    const unit = queue.unit(last)
    if (unit === undefined || unit.offset < minOffset) return true
    const record = recordAt(unit.offset)
    // Queues of a light message queue hold records of other topics.
    const agrees =
      record !== undefined &&
      record.size === unit.size &&
      (isLightQueue(queue.topic) ||
        (record.topic === queue.topic && record.queueId === queue.queueId && record.queueOffset === last))
    if (agrees) return true
    queue.cutAt(last)
  }
  return false
}
