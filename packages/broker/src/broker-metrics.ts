import type { Check, Clock, Files, Meter, Reading } from '@tandemmq/base'
import type { Registration } from '@tandemmq/registry'
import { isDegraded, type SelfView } from './broker-description.ts'
import type { BrokerReadiness } from './broker-readiness.ts'

export interface BrokerMetricsSources {
  readonly self: SelfView
  readonly registration: Registration | undefined
  readonly clock: Clock
  readonly files: Files
  readonly servingEpoch: () => number | undefined
  readonly readiness: () => BrokerReadiness
}

const CHECKS: readonly Check[] = ['writable', 'in_sync', 'registered', 'serving']
/** RocketMQ's PermName. */
const READ = 4
const WRITE = 2

/** What a broker says of itself as a whole, worked out when somebody asks. Names with `rocketmq_ha_` are ours, the others Apache's. */
export function observeBroker(meter: Meter, sources: BrokerMetricsSources): void {
  observeStore(meter, sources)
  observeServing(meter, sources)
  const { self } = sources
  const { metadata, role } = self
  one(meter, 'rocketmq_topic_number', 'Topics.', () => metadata.topics.size)
  one(meter, 'rocketmq_consumer_group_number', 'Consumer groups.', () => metadata.groups.size)
  one(
    meter,
    'rocketmq_broker_permission',
    'What may be done here: 4 = read, 6 = read and write.',
    () => READ + (role.kind === 'master' && role.writability.isWritable ? WRITE : 0),
  )
}

/** Apache's store metrics carry two labels that never change. */
function observeStore(meter: Meter, { self, clock, files }: BrokerMetricsSources): void {
  const { store, visible, options } = self
  const labels = { storage_type: 'local', storage_medium: 'disk' }
  const gauge = (name: string, help: string, read: () => number | undefined): void =>
    meter.observe(name, help, Object.keys(labels), () => {
      const value = read()
      return value === undefined ? [] : [{ labels, value }]
    })
  gauge(
    'rocketmq_storage_flush_behind_bytes',
    'Bytes of the log that are not on disk yet.',
    () => store.end - store.flushed.at,
  )
  gauge(
    'rocketmq_storage_dispatch_behind_bytes',
    'Bytes of the log that have not reached their consume queues yet.',
    () => store.end - store.dispatched.at,
  )
  gauge('rocketmq_storage_message_reserve_time', 'Age of the oldest message, ms.', () => {
    if (store.end === store.minOffset) return undefined
    try {
      return Math.max(0, clock.now() - store.record(store.minOffset).storeTimestamp)
    } catch {
      return undefined // Nothing of what others ask for depends on it.
    }
  })
  gauge('rocketmq_storage_size', 'Bytes in use on the file system of the store, whoever uses them.', () => {
    const space = spaceOf(files, options.root)
    return space && space.total - space.free
  })
  meter.observe(
    'rocketmq_ha_storage_free_bytes',
    'Bytes that the file system of the store can still take.',
    [],
    () => {
      const space = spaceOf(files, options.root)
      return space === undefined ? [] : [{ value: space.free }]
    },
  )
  one(meter, 'rocketmq_ha_visible_position_bytes', 'Up to where consumers may read.', () => visible.at)
}

/** `undefined`: the file system does not say. */
function spaceOf(files: Files, root: string): ReturnType<Files['space']> | undefined {
  try {
    return files.space(root)
  } catch {
    return undefined
  }
}

function observeServing(meter: Meter, sources: BrokerMetricsSources): void {
  const { self, registration, servingEpoch, readiness } = sources
  const { role, options } = self
  meter.observe(
    'rocketmq_ha_check',
    'A check of /readyz: 1 = passes, 0 = fails.',
    ['check'],
    (): readonly Reading[] => {
      const failing = new Set(readiness().problems.map(({ check }) => check))
      return CHECKS.map((check) => ({ labels: { check }, value: failing.has(check) ? 0 : 1 }))
    },
  )
  one(meter, 'rocketmq_ha_serving', 'Whether this broker answers consumers (1) or not (0).', () =>
    servingEpoch() === undefined ? 0 : 1,
  )
  one(
    meter,
    'rocketmq_ha_serving_epoch',
    'Newest epoch of the serving token that was heard of; it grows with every change of the holder.',
    () => registration?.holder.seenEpoch ?? servingEpoch() ?? 0,
  )
  if (role.kind === 'slave') {
    meter.observe(
      'rocketmq_ha_metadata_age_ms',
      'Since the last successful fetch of metadata from the master, ms.',
      [],
      () => {
        const lastSuccessAt = role.followed?.sync.status.lastSuccessAt
        return lastSuccessAt === undefined
          ? []
          : [{ value: Math.max(0, sources.clock.now() - lastSuccessAt) }]
      },
    )
    return
  }
  const { mode } = options
  const required = (): number => (mode.replication === 'sync' ? role.requiredReplicas : 1)
  one(
    meter,
    'rocketmq_ha_required_replicas',
    'Identities that must hold a message before OK, this master included.',
    required,
  )
  one(
    meter,
    'rocketmq_ha_degraded',
    'SYNC_MASTER and OK waits for nobody or for fewer than configured, or too few can be waited for (1); otherwise 0.',
    () =>
      mode.replication === 'sync' &&
      (required() <= 1 || isDegraded(role, mode) || role.durability.shortage() !== undefined)
        ? 1
        : 0,
  )
}

function one(meter: Meter, name: string, help: string, read: () => number): void {
  meter.observe(name, help, [], () => [{ value: read() }])
}
