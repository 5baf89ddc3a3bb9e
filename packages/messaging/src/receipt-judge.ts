import type { KeyObject } from 'node:crypto'
import { openReceiptHandle, type ReceiptHandle } from '@tandemmq/codec'
import { BrokerError, type Clock } from '@tandemmq/base'
import type { ProgressBook } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { MessageLog } from './message-log.ts'
import type { MessageMetrics } from './message-metrics.ts'
import type { MovedTimers } from './moved-timers.ts'
import type { RenewingClients } from './renewing-clients.ts'
import type { Subscriptions } from './subscription.ts'

/**
 * What a handle is worth (rule 5.7): it belongs to a delivery that still runs, to a message that is settled already, to a delivery that
 * has been followed by a newer one, or to one whose time is over.
 */
export type Verdict = 'live' | 'settled' | 'superseded' | 'expired'

export interface Judged {
  /** Of a scheduled record that was put into its topic since: that of the record there. */
  readonly handle: ReceiptHandle
  readonly queue: DeliveryQueue
  readonly verdict: Verdict
}

export interface ReceiptJudgeParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly clients: RenewingClients
  readonly subscriptions: Subscriptions
  readonly movedTimers: MovedTimers
  readonly metrics: MessageMetrics
  readonly clock: Clock
  readonly handleKey: KeyObject
}

/** Grace for a delivery made by another machine, whose clock is not quite ours. */
const FOREIGN_GRACE_MS = 1000

export class ReceiptJudge {
  readonly #parts: ReceiptJudgeParts

  constructor(parts: ReceiptJudgeParts) {
    this.#parts = parts
  }

  /** Throws `RECEIPT_HANDLE_INVALID` if it is not ours, or names a record that is not in this log. */
  judge(text: string, clientId: string): Judged {
    const opened = openReceiptHandle(text, this.#parts.handleKey)
    this.#checkStamp(opened)
    const handle = this.#followed(opened)
    const queue = this.#parts.subscriptions.obtain(handle.group, handle.topic).queue(handle.queueId)
    return { handle, queue, verdict: this.#verdict(handle, queue, clientId) }
  }

  #followed({ realTopic, ...handle }: ReceiptHandle): ReceiptHandle {
    if (realTopic === undefined) return handle
    const place = this.#parts.movedTimers.placeOf(handle.queueOffset)
    return place === undefined ? { ...handle, realTopic } : { ...handle, ...place }
  }

  #verdict(handle: ReceiptHandle, queue: DeliveryQueue, clientId: string): Verdict {
    const { book, clients, clock } = this.#parts
    const progress = book.progress.queue(handle.group, handle.topic, handle.queueId)
    if (progress.isAcked(handle.queueOffset)) return 'settled'
    const lease = progress.lease(handle.queueOffset)
    const attempts = lease?.attempts ?? 0
    // It was put into its topic, long ago: what is said of the scheduled record would reach nobody.
    const isGone = handle.realTopic !== undefined && lease === undefined
    if (isGone && book.delay.isDone(handle.queueOffset)) return 'expired'
    if (attempts > handle.attempt) return 'superseded'
    // Held for its client by this broker, or by the one that served before: the first handle stays good.
    const isHeld = queue.held.has(handle.queueOffset) || clients.has(clientId, handle.group)
    if (isHeld) return 'live'
    if (lease?.attempt === handle.attempt && lease.deliveredAt === handle.deliveredAt) {
      return clock.monotonic() < lease.invisibleUntil ? 'live' : 'expired'
    }
    const grace = attempts < handle.attempt ? FOREIGN_GRACE_MS : 0
    return clock.now() < handle.deliveredAt + handle.invisibleMs + grace ? 'live' : 'expired'
  }

  /**
   * A handle that contradicts this log's lineage is void (rule 5.2): its record was cut away. One beyond the end is not: the record was
   * written by a master whose last bytes have not come here.
   */
  #checkStamp({ topic, queueId, queueOffset, stamp }: ReceiptHandle): void {
    const { log, metrics } = this.#parts
    const { physicalOffset, logEpoch } = stamp
    if (physicalOffset >= log.end) {
      if (logEpoch >= log.epochAt(log.end)) return
    } else if (log.epochAt(physicalOffset) === logEpoch) {
      const unit = log.queue(topic, queueId)?.unit(queueOffset)
      if (unit === undefined || unit.offset === physicalOffset) return
    }
    metrics.staleStamp()
    throw new BrokerError(
      'RECEIPT_HANDLE_INVALID',
      'the receipt handle is for a message that this log does not hold',
      {
        facts: { topic, queueId, queueOffset, logEpoch },
      },
    )
  }
}
