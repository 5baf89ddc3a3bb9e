import type { Counter, Meter } from '@tandemmq/base'

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
