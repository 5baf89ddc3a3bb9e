import { BrokerError, type Clock, type QueueOffset } from '@tandemmq/base'
import type { ReceiveRequest } from './api.ts'
import type { Candidate } from './candidate.ts'
import type { Delivery, LeaseView, ProgressBook, QueueProgressView } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import { invisibleMsOf } from './invisibility.ts'

/** What is announced ends so much later than what is delivered then, ms: a delivery that had to wait ends within it all the same. */
const ANNOUNCED_LONGER_MS = 200

/** A batch of one queue that is about to be delivered, and may come to nothing. */
export interface Offer {
  readonly queue: DeliveryQueue
  readonly candidates: readonly Candidate[]
  readonly announced: readonly Announced[]
  readonly servingEpoch: number
}

interface Announced {
  readonly queueOffset: QueueOffset
  readonly lease: LeaseView
  /** Until when the message was invisible before, monotonic, ms. */
  readonly before: number
}

export interface OrderlyOffersParts {
  readonly book: ProgressBook
  readonly clock: Clock
  /** Invisible messages of this queue become visible earlier or later than before. */
  readonly changed: (queue: DeliveryQueue) => void
}

/**
 * Deliveries of orderly groups that others have to know of before they leave (rule 5.8). An offer is written down as a lease that counts no
 * attempt: it closes the queue, here and wherever it is known, and leaves nothing behind when it is withdrawn. What is delivered is a lease like any
 * other, and ends within what was announced.
 */
export class OrderlyOffers {
  readonly #parts: OrderlyOffersParts
  readonly #open = new Set<Offer>()

  constructor(parts: OrderlyOffersParts) {
    this.#parts = parts
  }

  /** Throws what writing it down throws; then nothing is offered. */
  announce(
    queue: DeliveryQueue,
    candidates: readonly Candidate[],
    request: ReceiveRequest,
    servingEpoch: number,
  ): Offer {
    const { book, clock } = this.#parts
    const { group, topic, queueId } = queue
    const known = this.#progress(queue)
    const invisibleMs = invisibleMsOf(request) + ANNOUNCED_LONGER_MS
    const deliveredAt = clock.now()
    const deliveries: Delivery[] = []
    const before = new Map<QueueOffset, number>()
    for (const { queueOffset, stamp, isAcked, attempt } of candidates) {
      if (isAcked) continue
      const lease = known.lease(queueOffset)
      const attempts = lease?.attempts ?? 0
      before.set(queueOffset, lease?.invisibleUntil ?? 0)
      deliveries.push({ queueOffset, stamp, attempt: attempts, deliveredAt, invisibleMs })
      // Whoever had it is not to have it prolonged any more, unless this is the same attempt again.
      if (attempt > attempts) queue.held.delete(queueOffset)
    }
    if (deliveries.length > 0) book.commit({ kind: 'lease', group, topic, queueId, servingEpoch, deliveries })
    const progress = this.#progress(queue)
    const announced = [...before].flatMap(([queueOffset, until]): Announced[] => {
      const lease = progress.lease(queueOffset)
      return lease === undefined ? [] : [{ queueOffset, lease, before: until }]
    })
    const offer = { queue, candidates, announced, servingEpoch }
    queue.isOffered = true
    this.#open.add(offer)
    return offer
  }

  /** Whether it can still be made: nothing has happened to its messages, and this broker serves under the same epoch. */
  isGood(offer: Offer, servingEpoch: number): boolean {
    if (!this.#open.has(offer) || offer.servingEpoch !== servingEpoch) return false
    const progress = this.#progress(offer.queue)
    const isUntouched = offer.announced.every((one) => stands(one, progress))
    return (
      isUntouched &&
      offer.candidates.every((one) => one.isAcked || progress.lease(one.queueOffset) !== undefined)
    )
  }

  /** It is over: delivered, in this turn. */
  made(offer: Offer): void {
    if (this.#open.delete(offer)) this.#reopen(offer.queue)
  }

  /** It is not made: its messages are as they were before. */
  withdraw(offer: Offer): void {
    if (!this.#open.delete(offer)) return
    const { book, clock } = this.#parts
    const { queue, announced, servingEpoch } = offer
    const { group, topic, queueId } = queue
    const progress = this.#progress(queue)
    const now = clock.monotonic()
    for (const one of announced) {
      if (!stands(one, progress)) continue
      const { queueOffset, lease, before } = one
      const { stamp, attempt } = lease
      const invisibleMs = Math.max(0, Math.ceil(before - now))
      const delivery = { queueOffset, stamp, attempt, deliveredAt: clock.now(), invisibleMs }
      try {
        book.commit({ kind: 'visibility', group, topic, queueId, servingEpoch, delivery })
      } catch (cause) {
        if (!(cause instanceof BrokerError)) throw cause
        break // It cannot be written down now: what was announced ends by itself.
      }
    }
    this.#reopen(queue)
  }

  /** None of them is made: somebody else is to serve, and to find nothing of this. */
  withdrawAll(): void {
    for (const offer of this.#open) this.withdraw(offer)
  }

  #reopen(queue: DeliveryQueue): void {
    queue.isOffered = false
    this.#parts.changed(queue)
  }

  #progress({ group, topic, queueId }: DeliveryQueue): QueueProgressView {
    return this.#parts.book.progress.queue(group, topic, queueId)
  }
}

function stands({ queueOffset, lease }: Announced, progress: QueueProgressView): boolean {
  const now = progress.lease(queueOffset)
  return (
    now?.attempts === lease.attempts &&
    now.attempt === lease.attempt &&
    now.deliveredAt === lease.deliveredAt &&
    now.invisibleUntil === lease.invisibleUntil
  )
}
