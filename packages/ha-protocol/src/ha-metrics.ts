import type { Counter, Histogram, LogOffset, Meter, Reading } from '@tandemmq/base'
import type { FollowingView } from './following-view.ts'
import { LATENCY_BOUNDS_MS } from './latency-histogram.ts'
import { ReasonCounts } from './reason-counts.ts'
import type { SlaveView } from './slave-view.ts'

/** Counters of a master's HA port. */
export interface MasterMetrics {
  readonly sentBytes: Counter
  readonly accepted: Counter
  hungUp(reason: string): void
  readonly violations: Counter
  readonly ackLatency: Histogram
  readonly mismatches: Counter
}

export function masterMetrics(meter: Meter): MasterMetrics {
  const reasons = new ReasonCounts()
  const hungUp = meter.counter(
    'rocketmq_ha_hung_up_total',
    'Connections of slaves that the master ended, by reason',
    ['reason'],
  )
  return {
    sentBytes: meter.counter('rocketmq_ha_sent_bytes_total', 'Log bytes sent to slaves'),
    accepted: meter.counter('rocketmq_ha_accepted_total', 'Slaves accepted after their handshake'),
    hungUp: (reason) => hungUp.add(1, { reason: reasons.add(reason) }),
    violations: meter.counter(
      'rocketmq_ha_violations_total',
      'Connections ended because the peer broke the protocol',
    ),
    ackLatency: meter.histogram(
      'rocketmq_ha_ack_latency_ms',
      'From sending log bytes to a slave until it reports them, ms',
      LATENCY_BOUNDS_MS,
      ['identity'],
    ),
    mismatches: meter.counter(
      'rocketmq_ha_mismatches_total',
      'Ranges in which the log of a slave was found to differ from the master',
      ['identity'],
    ),
  }
}

/** Counters of a slave. */
export interface SlaveMetrics {
  readonly receivedBytes: Counter
  readonly attempts: Counter
  readonly troubles: Counter
  readonly mismatches: Counter
}

export function slaveMetrics(meter: Meter): SlaveMetrics {
  return {
    receivedBytes: meter.counter('rocketmq_ha_received_bytes_total', 'Log bytes received from the master'),
    attempts: meter.counter('rocketmq_ha_connects_total', 'Attempts to connect to the master'),
    mismatches: meter.counter(
      'rocketmq_ha_own_mismatches_total',
      'Ranges in which this log was found to differ from the master',
    ),
    troubles: meter.counter(
      'rocketmq_ha_troubles_total',
      'Connections to the master that the slave ended, by reason',
      ['reason'],
    ),
  }
}

/** What a slave can be asked about itself. */
export interface ObservedSlave {
  readonly masterConnected: boolean
  following(): FollowingView
}

/** Gauges of a slave. */
export function observeFollowing(meter: Meter, slave: ObservedSlave): void {
  const gauge = (name: string, help: string, value: () => number | undefined): void =>
    meter.observe(name, help, [], () => {
      const read = value()
      return read === undefined ? [] : [{ value: read }]
    })
  gauge('rocketmq_ha_connected', 'Whether this slave follows its master now (1) or not (0)', () =>
    slave.masterConnected ? 1 : 0,
  )
  gauge(
    'rocketmq_ha_master_end_bytes',
    'End of the log of the master, by its last word',
    () => slave.following().masterEnd,
  )
  gauge(
    'rocketmq_ha_behind_master_bytes',
    'Log bytes that this slave is known to lack',
    () => slave.following().lagBytes,
  )
  gauge(
    'rocketmq_ha_behind_master_seconds',
    'Since when the first of them is known to be there, s',
    () => slave.following().lagMs / 1_000,
  )
}

/** What a master can be asked about its slaves. */
export interface ObservedMaster {
  slaves(): readonly SlaveView[]
  knownReplicas(): number
  readonly replicated: { readonly at: LogOffset }
}

/** Gauges of a master, one series for each slave that has been accepted or refused since its start. */
export function observeReplicas(meter: Meter, master: ObservedMaster): void {
  const ofEach = (name: string, help: string, value: (slave: SlaveView) => number | undefined): void =>
    meter.observe(name, help, ['identity'], () =>
      master.slaves().flatMap((slave) => {
        const read = value(slave)
        return read === undefined ? [] : [{ value: read, labels: { identity: slave.identity } }]
      }),
    )
  ofEach('rocketmq_ha_replica_lag_bytes', 'Log bytes a slave lacks', ({ lagBytes }) => lagBytes)
  ofEach(
    'rocketmq_ha_replica_lag_seconds',
    'Age of the first log byte a slave lacks, s',
    ({ lagMs }) => lagMs / 1_000,
  )
  ofEach(
    'rocketmq_ha_replica_in_sync',
    'Whether a send may count on this slave (1) or not (0)',
    ({ state }) => (state === 'in sync' ? 1 : 0),
  )
  ofEach('rocketmq_ha_replica_connected', 'Whether the slave follows now (1) or not (0)', ({ state }) =>
    state === 'away' || state === 'refused' ? 0 : 1,
  )
  ofEach(
    'rocketmq_ha_replica_verified_bytes',
    'Up to where the log of a slave has been compared with the master, in the background',
    ({ verification }) => verification.verifiedTo,
  )
  ofEach(
    'rocketmq_ha_replica_mismatches',
    'Ranges in which the log of a slave differs from the master, as last compared',
    ({ verification }) => verification.mismatches.length,
  )
  meter.total('rocketmq_ha_replica_connects_total', 'Times a slave was accepted', ['identity'], () =>
    master.slaves().map(({ identity, connects }) => ({ value: connects, labels: { identity } })),
  )
  meter.total(
    'rocketmq_ha_replica_refusals_total',
    'Times a slave that had proven who it is was refused or hung up on, by reason',
    ['identity', 'reason'],
    () =>
      master
        .slaves()
        .flatMap(({ identity, refusals }) =>
          [...refusals].map(([reason, value]) => ({ value, labels: { identity, reason } })),
        ),
  )
  ofEach(
    'rocketmq_ha_replica_heard_ago_ms',
    'Since the slave was heard last, ms',
    ({ heardAgoMs }) => heardAgoMs,
  )
  meter.observe(
    'rocketmq_ha_replica_position_bytes',
    'Where a slave is in the log: sent to it, reported by it as received, on its disk, found by its consumers',
    ['identity', 'position'],
    () => master.slaves().flatMap(positionsOf),
  )
  meter.observe('rocketmq_ha_known_replicas', 'Replicas a send may count on, the master included', [], () => [
    { value: master.knownReplicas() },
  ])
  meter.observe(
    'rocketmq_ha_replicated_position_bytes',
    'Up to where as many identities hold the log as the mode waits for',
    [],
    () => [{ value: master.replicated.at }],
  )
}

function positionsOf({ identity, sent, received, flushed, dispatched }: SlaveView): readonly Reading[] {
  return Object.entries({ sent, received, flushed, dispatched }).flatMap(([position, value]) =>
    value === undefined ? [] : [{ value, labels: { identity, position } }],
  )
}
