import type { LogOffset } from '@tandemmq/base'
import type { KnownLimits, Replica, ReplicaStatus } from './replica.ts'
import type { SlaveRecord, SlaveStanding, SlaveView } from './slave-records.ts'
import type { WriteTimes } from './write-times.ts'

/** What of the master a slave is measured by. */
export interface Measure {
  readonly end: LogOffset
  readonly now: number
  readonly limits: KnownLimits
  readonly times: WriteTimes
  readonly isSeated: (replica: Replica) => boolean
}

/** What a master can say about one slave at this instant. */
export function viewOfSlave(record: SlaveRecord, { end, now, limits, times, isSeated }: Measure): SlaveView {
  const { identity, address, connects, refusals, replica } = record
  const status = replica?.status(end, now, limits)
  const received = status?.received ?? 0
  const isConnected = replica !== undefined && isSeated(replica)
  return {
    identity,
    address,
    state: standingOf(isConnected ? status : undefined, record.isTurnedAway),
    sent: status?.sent ?? 0,
    received,
    flushed: status?.flushed,
    dispatched: status?.dispatched,
    lagBytes: Math.max(0, end - received),
    lagMs: times.lagMs(received, end, now),
    heardAgoMs: status?.heardAgoMs,
    connects,
    refusals,
    problem: status?.problem ?? record.lastRefusal?.words,
    ackLatency: record.ackLatency.summary(),
    verification: record.verification.view,
  }
}

function standingOf(connected: ReplicaStatus | undefined, isRefused: boolean): SlaveStanding {
  if (connected === undefined) return isRefused ? 'refused' : 'away'
  if (connected.known) return 'in sync'
  return connected.counted ? 'behind' : 'not counted'
}
