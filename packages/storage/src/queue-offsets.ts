import type { QueueOffset } from '@tandemmq/base'
import type { ConsumeQueues } from './consume-queues.ts'

/**
 * The next queue offset of every queue a master appends to. Consume queues follow behind the log; this runs ahead with
 * it. A queue not seen yet goes on where its consume queue ends, so all of the log must be dispatched before the first.
 */
export class QueueOffsets {
  readonly #queues: ConsumeQueues
  readonly #topics = new Map<string, Map<number, QueueOffset>>()

  constructor(queues: ConsumeQueues) {
    this.#queues = queues
  }

  next(topic: string, queueId: number): QueueOffset {
    return this.#topics.get(topic)?.get(queueId) ?? this.#queues.reader(topic, queueId)?.maxOffset ?? 0
  }

  /** Whether there may be all of these light queues. */
  hasRoomFor(lightQueues: readonly string[]): boolean {
    return this.#queues.hasRoomFor(lightQueues)
  }

  /** The record with offset `used` is in the log: only then does the queue move on. */
  advancePast(topic: string, queueId: number, used: QueueOffset): void {
    let queues = this.#topics.get(topic)
    if (queues === undefined) {
      queues = new Map()
      this.#topics.set(topic, queues)
    }
    queues.set(queueId, used + 1)
  }

  /** The record with offset `unused` did not get into the log after all; nor did any behind it. */
  takeBack(topic: string, queueId: number, unused: QueueOffset): void {
    this.#topics.get(topic)?.set(queueId, unused)
  }
}
