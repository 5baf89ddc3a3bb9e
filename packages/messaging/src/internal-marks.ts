import type { LogOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { ProgressBook } from './progress-book.ts'
import { DEAD_LETTER_PREFIX, deadLetterMarkOf, type DeadLetterMark } from './dead-letter-record.ts'
import type { InternalEffects } from './internal-effects.ts'
import type { Arrival, MessageLog } from './message-log.ts'
import type { MovedTimers } from './moved-timers.ts'
import type { Reput } from './reput-search.ts'
import type { Subscriptions } from './subscription.ts'
import { scheduledMarkOf, type ScheduledMark } from './timer-record.ts'

export interface InternalMarksParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly effects: InternalEffects
  readonly subscriptions: Subscriptions
  readonly movedTimers: MovedTimers
  /** A dead letter has settled its original. */
  readonly moved: (group: string, topic: string) => void
  /** A scheduled message is known to be in its topic. */
  readonly delivered: (mark: ScheduledMark) => void
}

/**
 * Internal writes name what they settle. Master and slave read these marks from their own logs as they dispatch, so both know the
 * same, whatever became of the master's journal (rules 5.5, 5.6).
 */
export class InternalMarks {
  readonly #parts: InternalMarksParts

  constructor(parts: InternalMarksParts) {
    this.#parts = parts
  }

  arrived({ topic, queueId, queueOffset, offset, size, properties }: Arrival): void {
    const scheduled = scheduledMarkOf(properties)
    const dead = topic.startsWith(DEAD_LETTER_PREFIX) ? deadLetterMarkOf(properties) : undefined
    if (scheduled === undefined && dead === undefined) return
    const write = { logEpoch: this.#parts.log.epochAt(offset), physicalOffset: offset }
    if (scheduled) {
      const place = { topic, queueId, queueOffset, stamp: write }
      this.delivered({ mark: scheduled, place, end: offset + size })
    }
    if (dead) this.copied(topic.slice(DEAD_LETTER_PREFIX.length), dead, write, offset + size)
  }

  /** A scheduled message was put into its topic. */
  delivered({ mark, place, end }: Reput): void {
    const { log, book, effects, movedTimers, delivered } = this.#parts
    const write = place.stamp
    effects.when(write, end, () => {
      const { queueOffset, physicalOffset } = mark
      const stamp = { logEpoch: log.epochAt(physicalOffset), physicalOffset }
      // First this: what is done is not looked for again.
      movedTimers.move(queueOffset, place)
      if (!book.delay.isDone(queueOffset)) {
        book.commit({ kind: 'delay', done: [{ queueOffset, stamp, after: write }] })
      }
      delivered(mark)
    })
  }

  /** `write` is the copy of a message that was dead for `group`. */
  copied(group: string, mark: DeadLetterMark, write: RecordStamp, end: LogOffset): void {
    const { log, book, effects, subscriptions, moved } = this.#parts
    effects.when(write, end, () => {
      const { topic, queueId, queueOffset, physicalOffset } = mark
      const stamp = { logEpoch: log.epochAt(physicalOffset), physicalOffset }
      if (!book.progress.queue(group, topic, queueId).isAcked(queueOffset)) {
        book.commit({ kind: 'ack', group, topic, queueId, records: [{ queueOffset, stamp, after: write }] })
      }
      subscriptions.obtain(group, topic).queue(queueId).aside.delete(queueOffset)
      moved(group, topic)
    })
  }
}
