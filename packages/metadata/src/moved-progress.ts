import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { Ack, Delivery, Lease } from './change.ts'
import type { DelayProgress } from './delay-progress.ts'
import type { LeaseView } from './in-flight.ts'

/** Where a scheduled record was put. */
export interface ServedPlace {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
}

/**
 * What groups have done with a scheduled record, as changes to the record `to` that was put into the real topic (rule 5.6). `now` is monotonic. A lease that moves
 * is the same lease: whatever was delivered or changed later wins (rule 5.3). What was announced and never delivered (rule 5.8) does not move.
 */
export function movedProgress(
  delay: DelayProgress,
  scheduled: QueueOffset,
  to: ServedPlace,
  now: number,
): (Ack | Lease)[] {
  const { topic, queueId, queueOffset, stamp } = to
  const changes: (Ack | Lease)[] = []
  for (const served of delay.served()) {
    const key = { group: served.group, topic, queueId }
    const lease = served.lease(scheduled)
    if (served.isAcked(scheduled)) changes.push({ kind: 'ack', ...key, records: [{ queueOffset, stamp }] })
    else if (lease !== undefined && lease.attempts > 0) {
      for (const [servingEpoch, delivery] of deliveriesOf({ ...lease, queueOffset, stamp }, now)) {
        changes.push({ kind: 'lease', ...key, servingEpoch, deliveries: [delivery] })
      }
    }
  }
  return changes
}

/** More attempts than the lease's own, of which another broker knew, are a delivery that is over. */
function deliveriesOf(lease: LeaseView, now: number): [servingEpoch: number, delivery: Delivery][] {
  const { queueOffset, stamp, attempt, attempts, servingEpoch, deliveredAt, invisibleMs } = lease
  const remainingMs = Math.max(0, Math.floor(lease.invisibleUntil - now))
  const own: Delivery = { queueOffset, stamp, attempt, deliveredAt, invisibleMs, remainingMs }
  if (attempts === attempt) return [[servingEpoch, own]]
  const over = { queueOffset, stamp, attempt: attempts, deliveredAt: 0, invisibleMs: 0 }
  return [
    [0, over],
    [servingEpoch, own],
  ]
}
