import type { Clock, QueueOffset } from '@tandemmq/base'
import type { ProgressBook, QueueProgressView } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { MessageLog } from './message-log.ts'
import { nothingFound, type Find, type QueueScan, type ScanTerms } from './queue-scan.ts'

/**
 * Order: while a message that was handed out, here or by another broker, is neither acknowledged nor visible again, its queue is closed for the
 * group, except to the attempt that took the batch, which may have it again. Then delivery starts over at the first unacknowledged message, and later messages of the batch
 * come again with it even if they were acknowledged (as with Apache's ordered pop).
 */
export class OrderlyTake {
  readonly #scan: QueueScan
  readonly #log: MessageLog
  readonly #book: ProgressBook
  readonly #clock: Clock

  constructor(scan: QueueScan, log: MessageLog, book: ProgressBook, clock: Clock) {
    this.#scan = scan
    this.#log = log
    this.#book = book
    this.#clock = clock
  }

  take(queue: DeliveryQueue, attemptId: string | undefined, servingEpoch: number, terms: ScanTerms): Find {
    if (queue.isOffered) return nothingFound
    const view = this.#log.queue(queue.topic, queue.queueId)
    if (view === undefined) return nothingFound
    const progress = this.#book.progress.queue(queue.group, queue.topic, queue.queueId)
    const floor = Math.max(progress.floor, view.minOffset)
    // What is leased is what the progress says, not what this process remembers: others may have served meanwhile (rule 5.8).
    if (progress.hasInvisible(floor, this.#clock.monotonic(), queue.aside)) {
      const { order } = queue
      const isSame = attemptId !== undefined && order?.attemptId === attemptId
      if (!isSame || order.servingEpoch !== servingEpoch) return nothingFound
      return this.#again(queue, order.offsets, progress, floor, terms)
    }
    const find = this.#scan.consecutive(queue, floor, view.maxOffset, terms)
    const offsets = find.candidates.map(({ queueOffset }) => queueOffset)
    if (offsets.length > 0) queue.order = { attemptId, servingEpoch, offsets }
    return find
  }

  /** The same batch for the same attempt; it does not count as a new delivery. */
  #again(
    queue: DeliveryQueue,
    batch: readonly QueueOffset[],
    progress: QueueProgressView,
    floor: QueueOffset,
    terms: ScanTerms,
  ): Find {
    const find = this.#scan.consecutive(queue, floor, (batch.at(-1) ?? floor) + 1, terms)
    if (find.cold.length > 0) return { ...find, candidates: [] } // All of it, or nothing yet.
    const candidates = find.candidates.map((candidate) => ({
      ...candidate,
      attempt: Math.max(1, progress.lease(candidate.queueOffset)?.attempts ?? 1),
    }))
    return { ...find, candidates }
  }
}
