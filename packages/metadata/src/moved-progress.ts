import type { QueueOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { Ack, ProgressState, QueueKey } from './change.ts'
import type { LeaseView } from './in-flight.ts'
import type { MetadataState } from './metadata-state.ts'

/** Where a scheduled record was put. */
export interface ServedPlace {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: QueueOffset
  readonly stamp: RecordStamp
}

/**
 * What groups have done with a scheduled record, as changes to the record `to` that was put into the real topic (rule 5.6): one for each group. `now` is monotonic.
 * A lease moves as a state, which merges by rule 5.3: whatever was delivered later wins. What was announced and never delivered (rule 5.8) does not move.
 */
export function movedProgress(
  { delay, progress }: MetadataState,
  scheduled: QueueOffset,
  to: ServedPlace,
  now: number,
): (Ack | ProgressState)[] {
  const { topic, queueId, queueOffset, stamp } = to
  const changes: (Ack | ProgressState)[] = []
  for (const served of delay.served()) {
    const key = { group: served.group, topic, queueId }
    const lease = served.lease(scheduled)
    if (served.isAcked(scheduled)) changes.push({ kind: 'ack', ...key, records: [{ queueOffset, stamp }] })
    else if (lease !== undefined && lease.attempts > 0) {
      const { generation } = progress.queue(key.group, topic, queueId)
      changes.push({ ...leased(key, { ...lease, queueOffset, stamp }, now), generation })
    }
  }
  return changes
}

function leased(key: QueueKey, lease: LeaseView, now: number): Omit<ProgressState, 'generation'> {
  const { queueOffset, stamp, attempt, attempts, servingEpoch, deliveredAt, invisibleMs } = lease
  const remainingMs = Math.max(0, Math.floor(lease.invisibleUntil - now))
  const state = { queueOffset, stamp, attempt, attempts, servingEpoch, deliveredAt, invisibleMs, remainingMs }
  return {
    kind: 'progress',
    ...key,
    voidFrom: Number.MAX_SAFE_INTEGER,
    acked: [],
    marks: [],
    leases: [state],
  }
}
