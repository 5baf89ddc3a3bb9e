import { messageOf, type Files, type Logger, type LogOffset } from '@tandemmq/base'
import { CheckedFields, decodeChecked, encodeChecked } from './checked-json.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import { readStateFile, replaceStateFile } from './state-file.ts'

const TITLE = 'TandemMQ queue ends 1'

/** Of a store with more queues nothing is written down: the file would grow too long to be written every few seconds. */
const QUEUES_MAX = 100_000

/**
 * Where every consume queue ended when all were synced last: without it a queue whose directory is gone would look like one that never had a
 * message, and its offsets would be given a second time. Queues are derived from the log: a mismatch builds them again.
 */
export class QueueEnds {
  readonly #files: Files
  readonly #path: string
  #isDamaged = false

  constructor(files: Files, root: string) {
    this.#files = files
    this.#path = `${root}/queueEnds`
  }

  /** As they are at this moment: returns how to write that down, once they are on disk. */
  noted(queues: ConsumeQueues, synced: LogOffset): () => Promise<void> {
    const ends: string[] = []
    for (const { topic, queueId, maxOffset } of queues.all()) {
      if (ends.length === QUEUES_MAX) return () => Promise.resolve()
      ends.push(`${topic} ${queueId} ${maxOffset}`)
    }
    return () => this.#save({ synced, ends })
  }

  /**
   * A queue that lacks what it had, in words; `undefined` if there is none, or nothing is known. `synced`: what was on disk for certain; what was
   * written down about more than that says nothing.
   */
  lackIn(queues: ConsumeQueues, synced: LogOffset, logger: Logger): string | undefined {
    let read: ReturnType<typeof readStateFile<Ends>>
    try {
      read = readStateFile(this.#files, this.#path, decodeEnds)
    } catch (failure) {
      logger.warn(
        { path: this.#path, why: messageOf(failure) },
        'the ends of the consume queues cannot be read',
      )
      this.#isDamaged = true
      return 'nobody knows where they ended'
    }
    this.#isDamaged = read?.isStale ?? false
    if (read === undefined || read.value.synced > synced) return undefined
    for (const { topic, queueId, end } of read.value.ends) {
      const found = queues.find(topic, queueId)?.maxOffset ?? 0
      if (found < end) return `queue ${queueId} of ${topic} ended at ${end} and ends at ${found}`
    }
    return undefined
  }

  async #save(value: { readonly synced: LogOffset; readonly ends: readonly string[] }): Promise<void> {
    await replaceStateFile(this.#files, this.#path, encodeChecked(TITLE, value), this.#isDamaged)
    this.#isDamaged = false
  }
}

interface Ends {
  readonly synced: LogOffset
  readonly ends: readonly { readonly topic: string; readonly queueId: number; readonly end: number }[]
}

function decodeEnds(content: Buffer): Ends {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  const ends = fields.list('ends').map((line) => {
    const [topic = '', queueId, end] = String(line).split(' ')
    return { topic, queueId: Number(queueId), end: Number(end) }
  })
  return { synced: fields.position('synced'), ends }
}
