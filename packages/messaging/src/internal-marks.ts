import type { LogOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { ProgressBook } from './consumer-progress.ts'
import { DEAD_LETTER_PREFIX, deadLetterMarkOf, type DeadLetterMark } from './dead-letter-record.ts'
import type { InternalEffects } from './internal-effects.ts'
import type { Arrival, MessageLog } from './message-log.ts'
import type { Subscriptions } from './subscription.ts'
import { scheduledMarkOf, type ScheduledMark } from './timer-record.ts'

export interface InternalMarksParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly effects: InternalEffects
  readonly subscriptions: Subscriptions
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

  arrived({ topic, offset, size, properties }: Arrival): void {
    const scheduled = scheduledMarkOf(properties)
    const dead = topic.startsWith(DEAD_LETTER_PREFIX) ? deadLetterMarkOf(properties) : undefined
    if (scheduled === undefined && dead === undefined) return
    const write = { logEpoch: this.#parts.log.epochAt(offset), physicalOffset: offset }
    if (scheduled) this.delivered(scheduled, write, offset + size)
    if (dead) this.copied(topic.slice(DEAD_LETTER_PREFIX.length), dead, write, offset + size)
  }

  /** `write` put a scheduled message into its topic. */
  delivered(mark: ScheduledMark, write: RecordStamp, end: LogOffset): void {
    const { log, book, effects, delivered } = this.#parts
    effects.when(write, end, () => {
      const { queueOffset, physicalOffset } = mark
      const stamp = { logEpoch: log.epochAt(physicalOffset), physicalOffset }
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
