import type { Counter, LogOffset, Meter, Reading } from '@tandemmq/base'
import type { ReplicaStatus } from './replica.ts'

/** Counters of a master's HA port. */
export interface MasterMetrics {
  readonly sentBytes: Counter
  readonly accepted: Counter
  readonly hungUp: Counter
  readonly violations: Counter
}

export function masterMetrics(meter: Meter): MasterMetrics {
  return {
    sentBytes: meter.counter('rocketmq_ha_sent_bytes_total', 'Log bytes sent to slaves'),
    accepted: meter.counter('rocketmq_ha_accepted_total', 'Slaves accepted after their handshake'),
    hungUp: meter.counter(
      'rocketmq_ha_hung_up_total',
      'Connections of slaves that the master ended, by reason',
      ['reason'],
    ),
    violations: meter.counter(
      'rocketmq_ha_violations_total',
      'Connections ended because the peer broke the protocol',
    ),
  }
}

/** Counters of a slave. */
export interface SlaveMetrics {
  readonly receivedBytes: Counter
  readonly attempts: Counter
  readonly troubles: Counter
}

export function slaveMetrics(meter: Meter): SlaveMetrics {
  return {
    receivedBytes: meter.counter('rocketmq_ha_received_bytes_total', 'Log bytes received from the master'),
    attempts: meter.counter('rocketmq_ha_connects_total', 'Attempts to connect to the master'),
    troubles: meter.counter(
      'rocketmq_ha_troubles_total',
      'Connections to the master that the slave ended, by reason',
      ['reason'],
    ),
  }
}

/** What a master can be asked about its slaves. */
export interface ObservedMaster {
  replicas(): readonly ReplicaStatus[]
  knownReplicas(): number
  readonly replicated: { readonly at: LogOffset }
}

/** Gauges of a master, one series for each slave that is connected. */
export function observeReplicas(meter: Meter, master: ObservedMaster): void {
  const ofEach = (name: string, help: string, value: (replica: ReplicaStatus) => number): void =>
    meter.observe(name, help, ['identity'], () =>
      master.replicas().map((replica) => ({ value: value(replica), labels: { identity: replica.identity } })),
    )
  ofEach('rocketmq_ha_replica_lag_bytes', 'Log bytes a slave lacks', ({ lagBytes }) => lagBytes)
  ofEach(
    'rocketmq_ha_replica_in_sync',
    'Whether a send may count on this slave (1) or not (0)',
    ({ known }) => (known ? 1 : 0),
  )
  ofEach(
    'rocketmq_ha_replica_heard_ago_ms',
    'Since the slave was heard last, ms',
    ({ heardAgoMs }) => heardAgoMs,
  )
  meter.observe(
    'rocketmq_ha_replica_position_bytes',
    'Where a slave is in the log: sent to it, reported by it as received, on its disk',
    ['identity', 'position'],
    () => master.replicas().flatMap(positionsOf),
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

function positionsOf({ identity, sent, received, flushed }: ReplicaStatus): readonly Reading[] {
  return Object.entries({ sent, received, flushed }).flatMap(([position, value]) =>
    value === undefined ? [] : [{ value, labels: { identity, position } }],
  )
}
