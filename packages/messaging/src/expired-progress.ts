import type { LogOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { ProgressBook, QueueProgressView, Settled } from './progress-book.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { MessageLog, QueueView } from './message-log.ts'

/**
 * What expired before a group got to it is settled for the group: it goes on with the oldest message that is still there (as Apache's consumers are
 * told to by OFFSET_ILLEGAL), and leases of what is gone count no more. Only a master may say so: another replica may still keep what a slave does not.
 */
export function settleExpired(
  log: MessageLog,
  book: ProgressBook,
  { group, topic, queueId }: DeliveryQueue,
  view: QueueView,
  progress: QueueProgressView,
): void {
  const { minOffset } = view
  const { floor } = progress
  if (floor >= minOffset) return
  const records = [expiredBelow(log, floor, minOffset)]
  book.commit({ kind: 'ack', group, topic, queueId, records })
}

/** Everything in `[from, minOffset)`, which nobody can read any more. */
export function expiredBelow(log: MessageLog, from: number, minOffset: number): Settled {
  return { from, queueOffset: minOffset - 1, stamp: justBelow(log) }
}

/** The place of the newest byte that has expired: where the record itself lay, nobody knows. */
function justBelow(log: MessageLog): RecordStamp {
  const physicalOffset: LogOffset = Math.max(0, log.minOffset - 1)
  return { logEpoch: log.epochAt(physicalOffset), physicalOffset }
}
