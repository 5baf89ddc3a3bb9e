import type { QueueOffset } from '@tandemmq/base'
import type { ProgressBook, QueuePlace } from './progress-book.ts'
import type { HeldLeases } from './held-leases.ts'
import type { MessageLog } from './message-log.ts'
import type { Subscriptions } from './subscription.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC } from './timer-record.ts'

/** So many of the last ones are remembered: the receipt handle of an older one is no longer good. */
const REMEMBERED_MAX = 20_000

export interface MovedTimersParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly held: HeldLeases
  readonly subscriptions: Subscriptions
}

/**
 * Scheduled messages that were put into their topics. What groups have done with the scheduled record, which a slave had given them, counts for the one that
 * was put (rule 5.6): acknowledgements, attempts, running leases, and the clients for which these are kept alive.
 */
export class MovedTimers {
  readonly #parts: MovedTimersParts
  readonly #places = new Map<QueueOffset, QueuePlace>()

  constructor(parts: MovedTimersParts) {
    this.#parts = parts
  }

  /** Throws what a commit throws; doing it again does no harm. */
  move(scheduled: QueueOffset, place: QueuePlace): void {
    const { book, held, subscriptions } = this.#parts
    const groups = book.moveServed(scheduled, place)
    this.#remember(scheduled, place)
    for (const group of groups) {
      const from = subscriptions.obtain(group, TIMER_TOPIC).queue(TIMER_QUEUE_ID)
      const to = subscriptions.obtain(group, place.topic).queue(place.queueId)
      held.move(from, scheduled, to, place.queueOffset)
    }
  }

  /** Something was heard of these after they had been moved: as {@link move}, of those that are remembered. */
  moveAgain(scheduled: Iterable<QueueOffset>): void {
    for (const offset of scheduled) {
      const place = this.placeOf(offset)
      if (place !== undefined) this.move(offset, place)
    }
  }

  /** Where a scheduled record was put; `undefined`: it was not, or long ago, or that was cut away. */
  placeOf(scheduled: QueueOffset): QueuePlace | undefined {
    const { log } = this.#parts
    const place = this.#places.get(scheduled)
    if (place === undefined) return undefined
    const { physicalOffset, logEpoch } = place.stamp
    return physicalOffset < log.end && log.epochAt(physicalOffset) === logEpoch ? place : undefined
  }

  #remember(scheduled: QueueOffset, place: QueuePlace): void {
    this.#places.set(scheduled, place)
    if (this.#places.size <= REMEMBERED_MAX) return
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest)
      return
    }
  }
}
