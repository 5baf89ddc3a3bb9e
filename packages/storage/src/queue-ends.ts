import {
  readStateFile,
  readWhole,
  replaceStateFile,
  isNotTheContent,
  messageOf,
  type Files,
  type Logger,
  type LogOffset,
  type QueueOffset,
} from '@tandemmq/base'
import { CheckedFields, decodeChecked, encodeChecked, BATCH_UNIT_BYTES, UNIT_BYTES } from '@tandemmq/codec'
import type { ConsumeQueues } from './consume-queues.ts'

/** Ends the line of a batch queue. */
const BATCH = 'batch'

const TITLE = 'TandemMQ queue ends 1'

/** Of a store with more queues nothing is written down: the file would grow too long to be written every few seconds. */
const QUEUES_MAX = 100_000

/** So much of all queues is read at a start to check it; of more, only what was written since is. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024
/** So much is read at most to learn the checksum of a queue that has none yet. */
const LEARNT_BYTES_MAX = 4 * 1024 * 1024

/**
 * Where every consume queue ended when all were synced last, and the checksum of what it held: without it a queue whose directory is gone would look
 * like one that never had a message, its offsets would be given a second time, and a flipped bit could hide messages. Queues are derived from the log: a
 * mismatch builds them again.
 */
export class QueueEnds {
  readonly #files: Files
  readonly #path: string
  #isDamaged = false
  #isBuilding = false

  constructor(files: Files, root: string) {
    this.#files = files
    this.#path = `${root}/queueEnds`
  }

  /** As they are at this moment: returns how to write that down, once they are on disk. */
  noted(queues: ConsumeQueues, synced: LogOffset): () => Promise<void> {
    const ends: string[] = []
    for (const queue of queues.all()) {
      if (ends.length === QUEUES_MAX) return () => this.#saveNone(synced)
      const { topic, queueId, maxOffset, firstOnFile } = queue
      const sum = queue.checksum(maxOffset, LEARNT_BYTES_MAX) ?? '-'
      ends.push(`${topic} ${queueId} ${firstOnFile} ${maxOffset} ${sum}`)
    }
    for (const queue of queues.batches.all()) {
      const { topic, queueId, maxOffset, onFile } = queue
      const sum = queue.checksum(onFile.end, LEARNT_BYTES_MAX) ?? '-'
      ends.push(`${topic} ${queueId} ${onFile.first} ${maxOffset} ${sum} ${BATCH} ${onFile.end}`)
    }
    return () => this.#save({ synced, ends })
  }

  /**
   * Before queues are emptied to be built again: durably, so that a start that finds them half built begins again. `ends`: where those end of which the
   * log may have nothing any more.
   */
  async noteBuilding(ends: readonly KeptEnd[]): Promise<void> {
    const lines = ends.map(({ topic, queueId, end, isBatch }) => {
      const line = `${topic} ${queueId} 0 ${end} -`
      return isBatch ? `${line} ${BATCH} 0` : line
    })
    await this.#save({ synced: 0, ends: lines, building: true })
    this.#isBuilding = true
  }

  /**
   * Compares the queues, as they are on file, with what was written down of them. `synced`: what was on disk for certain; what was written down about
   * more than that says nothing.
   */
  check(queues: ConsumeQueues, synced: LogOffset, logger: Logger): QueueCheck {
    let read: ReturnType<typeof readStateFile<Ends>>
    try {
      read = readStateFile(this.#files, this.#path, decodeEnds)
    } catch (failure) {
      if (isNotTheContent(failure)) throw failure
      logger.warn(
        { path: this.#path, why: messageOf(failure) },
        'the ends of the consume queues cannot be read',
      )
      this.#isDamaged = true
      return { wrong: 'nobody knows where they ended' }
    }
    this.#isDamaged = read?.isStale ?? false
    if (read === undefined || read.value.synced > synced) return { completeTo: 0 }
    if (read.value.isBuilding) return { wrong: 'they were being built when that was interrupted' }
    let budget = CHECKED_BYTES_MAX
    for (const noted of read.value.ends) {
      const bytes = noted.isBatch ? noted.unitsEnd * BATCH_UNIT_BYTES : (noted.end - noted.first) * UNIT_BYTES
      const wrong = whatIsWrong(noted, queues, read.value.synced, bytes <= budget)
      if (wrong !== undefined) return { wrong: `queue ${noted.queueId} of ${noted.topic} ${wrong}` }
      budget -= Math.min(bytes, budget)
    }
    return { completeTo: read.value.synced }
  }

  /**
   * The ends that were written down, if they are true: for queues that are built again and of which the log has nothing any more. Empty if nothing is
   * known. `synced` as for {@link check}.
   */
  known(synced: LogOffset): readonly QueueEnd[] {
    try {
      const read = readStateFile(this.#files, this.#path, decodeEnds)
      return read === undefined || read.value.synced > synced ? [] : read.value.ends
    } catch (failure) {
      if (isNotTheContent(failure)) throw failure
      return []
    }
  }

  /** There are too many; that they are built is to be known all the same. */
  async #saveNone(synced: LogOffset): Promise<void> {
    if (this.#isBuilding) await this.#save({ synced, ends: [] })
  }

  async #save(value: StoredEnds): Promise<void> {
    await replaceStateFile(this.#files, this.#path, encodeChecked(TITLE, value), this.#isDamaged)
    this.#isDamaged = false
    this.#isBuilding = false
  }
}

/** `wrong`: queues are to be built again; `completeTo`: they hold every record below. */
export type QueueCheck = { readonly wrong: string } | { readonly completeTo: LogOffset }

function whatIsWrong(
  noted: QueueEnd,
  queues: ConsumeQueues,
  synced: LogOffset,
  mayRead: boolean,
): string | undefined {
  if (noted.isBatch) return whatIsWrongWithBatches(noted, queues, synced, mayRead)
  const { topic, queueId, first, end, sum } = noted
  const queue = queues.find(topic, queueId)
  // A batch queue has taken over all of it.
  if (queue === undefined && (queues.batches.find(topic, queueId)?.maxOffset ?? -1) >= end) return undefined
  const found = queue?.maxOffset ?? 0
  // Files that an expiry removes begin to be missing before that is written down; then what follows begins with an expired message.
  const isExpired = queue !== undefined && queue.firstOnFile > first && queue.firstOnFile < queue.minOffset
  if (queue === undefined || found < end || (queue.firstOnFile !== first && !isExpired)) {
    return `had [${first}, ${end}) and has [${queue?.firstOnFile ?? 0}, ${found})`
  }
  // What was added since belongs to later records.
  if (found > end && (queue.unit(end)?.offset ?? -1) < synced)
    return `ended at ${end} and has something behind`
  if (sum === undefined || isExpired) return undefined
  if (!mayRead) queue.believeChecksum(end, sum)
  else if (queue.checksum(end, Infinity) !== sum) return 'has other units than were written'
  return undefined
}

function whatIsWrongWithBatches(
  { topic, queueId, first, end, sum, unitsEnd }: QueueEnd,
  queues: ConsumeQueues,
  synced: LogOffset,
  mayRead: boolean,
): string | undefined {
  const queue = queues.batches.find(topic, queueId)
  const { first: firstFound, end: unitsFound } = queue?.onFile ?? { first: 0, end: 0 }
  const isExpired = queue !== undefined && firstFound > first && queue.beginsExpired
  if (
    queue === undefined ||
    unitsFound < unitsEnd ||
    queue.maxOffset < end ||
    (firstFound !== first && !isExpired)
  )
    return `had units [${first}, ${unitsEnd}) up to message ${end} and has [${firstFound}, ${unitsFound}) up to ${queue?.maxOffset ?? 0}`
  if ((queue.recordOf(unitsEnd) ?? synced) < synced) return `ended at ${end} and has something behind`
  const isComparable = mayRead && sum !== undefined && !isExpired
  if (isComparable && queue.checksum(unitsEnd, Infinity) !== sum) return 'has other units than were written'
  return undefined
}

/** Where a queue goes on of which the log may have nothing any more. */
export type KeptEnd = Pick<QueueEnd, 'topic' | 'queueId' | 'end' | 'isBatch'>

export interface QueueEnd {
  readonly topic: string
  readonly queueId: number
  /** Units on file: [`first`, `end`). */
  readonly first: QueueOffset
  readonly end: QueueOffset
  /** Their CRC-32; `undefined` if nobody knew it. */
  readonly sum: number | undefined
  /** It is one of the batch queues: units have numbers of their own, `first` is one. */
  readonly isBatch: boolean
  /** Of a batch queue: one behind the number of the last unit. */
  readonly unitsEnd: number
}

/** For who looks at a store from outside: throws `STATE_FILE_CORRUPT` if the file cannot be read. */
export function demandQueueEnds(files: Files, root: string): void {
  const path = `${root}/queueEnds`
  if (files.exists(path)) decodeEnds(readWhole(files, path))
}

interface StoredEnds {
  readonly synced: LogOffset
  readonly ends: readonly string[]
  readonly building?: true
}

interface Ends {
  readonly synced: LogOffset
  readonly ends: readonly QueueEnd[]
  /** Queues are half built; only the ends are true. */
  readonly isBuilding: boolean
}

function decodeEnds(content: Buffer): Ends {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  const ends = fields.list('ends').map((line) => {
    const [topic = '', queueId, first, end, sum = '-', kind, unitsEnd = 0] = String(line).split(' ')
    return {
      topic,
      queueId: Number(queueId),
      first: Number(first),
      end: Number(end),
      sum: sum === '-' ? undefined : Number(sum),
      isBatch: kind === BATCH,
      unitsEnd: Number(unitsEnd),
    }
  })
  return { synced: fields.position('synced'), ends, isBuilding: fields.optional('building') === true }
}
