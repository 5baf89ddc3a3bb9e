import type { LogOffset } from '@tandemmq/base'
import type { LatencySummary } from './latency-histogram.ts'
import type { VerificationView } from './range-verification.ts'
import type { KnownLimits, Replica, ReplicaStatus } from './replica.ts'
import type { SlaveRecord } from './slave-records.ts'
import type { WriteTimes } from './write-times.ts'

/**
 * `in sync`: a send may count on it. `behind`: its reports complete sends, but it is too far back, silent, or cannot write. `not counted`:
 * it is served only. `away`: it has been here. `refused`: it has proven who it is, and was not accepted or broke the protocol.
 */
export type SlaveStanding = 'in sync' | 'behind' | 'not counted' | 'away' | 'refused'

/** A slave as its master has known it since the master's start, connected or not. Positions are bytes of log offset. */
export interface SlaveView {
  readonly identity: string
  readonly address: string
  readonly state: SlaveStanding
  readonly sent: LogOffset
  readonly received: LogOffset
  readonly flushed: LogOffset | undefined
  readonly dispatched: LogOffset | undefined
  readonly lagBytes: number
  /** Age of the first byte it lacks, ms. */
  readonly lagMs: number
  /** `undefined`: never. */
  readonly heardAgoMs: number | undefined
  /** How often it was accepted. */
  readonly connects: number
  /** How often it was refused or hung up on, by reason. */
  readonly refusals: ReadonlyMap<string, number>
  /** What it lacks, in words: why it cannot write, or why it was turned away last. */
  readonly problem: string | undefined
  readonly ackLatency: LatencySummary
  readonly verification: VerificationView
}

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
