import { joinAddress, splitAddress } from '@tandemmq/base'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { BrokerOptions, RoleOptions, SlaveOptions } from '@tandemmq/broker'
import {
  bootId,
  descriptorLimit,
  isLoopback,
  readConfiguration,
  readSecretFile,
  type Configuration,
  type ConfigurationSources,
} from '@tandemmq/platform-node'
import { brokerKeys } from './broker-keys.ts'
import { haHost, insecurityOf } from './security-settings.ts'
import { hoursOf, retentionRules } from './retention-settings.ts'

export type BrokerConfiguration = Configuration<typeof brokerKeys>
export type ServiceRole = 'master' | 'slave'

/** Reads a broker's configuration for the role its service has. Throws `CONFIG_INVALID` in one sentence. */
export function readBrokerConfiguration(
  role: ServiceRole,
  sources: ConfigurationSources,
): BrokerConfiguration {
  const configuration = readConfiguration(brokerKeys, sources)
  const { values } = configuration
  const refuse = (name: keyof typeof brokerKeys, allowed: string): never => {
    throw configuration.refusal(name, allowed)
  }
  if (role === 'master' && values.brokerRole === 'SLAVE')
    refuse('brokerRole', 'ASYNC_MASTER or SYNC_MASTER for broker-master')
  if (role === 'slave') {
    if (configuration.isGiven('brokerRole') && values.brokerRole !== 'SLAVE')
      refuse('brokerRole', 'SLAVE for broker-slave')
    if (values.haMasterAddress === '')
      refuse('haMasterAddress', 'the host:port of the HA port of the master that this slave follows')
    if (values.masterGrpcAddress === '' && values.haPeer === 'tandemmq')
      refuse('masterGrpcAddress', 'the host:port of the gRPC port of the master that this slave follows')
    if (values.brokerId === 0) refuse('brokerId', '1 or more for a slave')
  } else if (values.brokerId !== 0) refuse('brokerId', '0 for a master')
  const replicas = totalReplicas(configuration)
  if (values.brokerRole === 'SYNC_MASTER' && values.inSyncReplicas > replicas) {
    refuse('inSyncReplicas', `at most totalReplicas, which is ${replicas}`)
  }
  if (values.enableAutoInSyncReplicas && values.minInSyncReplicas > values.inSyncReplicas) {
    refuse('minInSyncReplicas', `at most inSyncReplicas, which is ${values.inSyncReplicas}`)
  }
  if (values.haLegacyCounts && !values.haLegacySlaves)
    refuse('haLegacyCounts', 'false without haLegacySlaves')
  if (values.haLegacyCounts && values.flushDiskType === 'SYNC_FLUSH') {
    refuse(
      'haLegacyCounts',
      'false with SYNC_FLUSH: a slave of Apache RocketMQ reports what is not on its disk',
    )
  }
  const insecure = insecurityOf(values)
  if (insecure !== undefined) refuse(insecure.key, insecure.allowed)
  if (hoursOf(values.deleteWhen) === undefined) refuse('deleteWhen', 'hours from 00 to 23, separated by ;')
  return configuration
}

/** What the broker itself is told. Nothing below knows files of configuration. */
export function brokerOptions(
  role: ServiceRole,
  configuration: BrokerConfiguration,
  grpcPort: number,
): BrokerOptions {
  const { values } = configuration
  const secret = readSecretFile('setSecretFile', values.setSecretFile)
  const root = brokerRoot(configuration)
  const roles = roleOptions(configuration)
  const brokerRole = role === 'slave' ? values.roleIfPromoted : values.brokerRole
  const ownHost = advertisedHost(configuration, values.listenAddress)
  return {
    cluster: values.brokerClusterName,
    set: values.brokerName,
    identity: `${values.brokerName}-${values.brokerId}`,
    totalReplicas: totalReplicas(configuration),
    root,
    bootId: bootId(),
    segmentBytes: values.mappedFileSizeCommitLog,
    consumeQueueFilesMax: queueFilesMax(descriptorLimit()),
    maxMessageBytes: values.maxMessageSize,
    propertyCrc: values.enabledAppendPropCRC,
    lightQueues: values.enableLmq && values.enableMultiDispatch,
    ...(values.messageIndexEnable
      ? { index: { slots: values.maxHashSlotNum, entries: values.maxIndexNum } }
      : {}),
    storeHost: { ip: ipOf(ownHost), port: grpcPort },
    mode: {
      replication: brokerRole === 'SYNC_MASTER' ? 'sync' : 'async',
      flush: values.flushDiskType === 'SYNC_FLUSH' ? 'sync' : 'async',
      inSyncReplicas: values.inSyncReplicas,
      ...(values.enableAutoInSyncReplicas && { leastInSyncReplicas: values.minInSyncReplicas }),
    },
    create: {
      topics: values.autoCreateTopicEnable,
      groups: values.autoCreateSubscriptionGroup,
      queues: values.defaultTopicQueueNums,
    },
    ...(secret === undefined ? {} : { secret }),
    ...(values.haTls === 'mutual' && { certified: true }),
    grpcAddress: joinAddress(ownHost, grpcPort),
    retention: retentionRules(values),
    ...(configuration.isGiven('diskSpaceWarningLevelRatio')
      ? { keptFreeRatio: 1 - retentionRules(values).usedWarning }
      : {}),
    flushTimeoutMs: values.syncFlushTimeout,
    slaveTimeoutMs: values.slaveTimeout,
    ...(role === 'master' ? { master: roles.master } : { slave: followed(values, roles) }),
    // A slave of Apache's has no topics and no progress to go on with; a port that is picked at the start cannot be told before.
    ...(values.haPeer === 'tandemmq' && values.haListenPort !== 0
      ? { haIfMaster: joinAddress(haAdvertisedHost(configuration), values.haListenPort) }
      : {}),
  }
}

/** What it takes to be either: the appointed one says where it is (rule 3.5). */
export function roleOptions(configuration: BrokerConfiguration): RoleOptions {
  const { values } = configuration
  return {
    master: {
      haListen: { host: haHost(values), port: values.haListenPort },
      haAdvertisedHost: haAdvertisedHost(configuration),
      createLog: values.createLog,
      acceptLoss: values.acceptLoss,
      haMaxGapNotInSync: values.haMaxGapNotInSync,
      hold: { bytesMax: values.haRetentionHoldBytes, timeMaxMs: values.haRetentionHoldTime },
      ...(values.haFlowControlEnable ? { haBytesPerSecond: values.maxHaTransferByteInSecond } : {}),
      legacySlaves: values.haLegacyCounts ? 'counted' : values.haLegacySlaves ? 'served' : 'none',
    },
    slave: {
      peer: values.haPeer,
      pullIntervalMs: values.slaveMetadataPullInterval,
      watch: values.slaveMetadataWatch,
      acceptLoss: values.acceptLoss,
    },
  }
}

/** The configuration that Apache ships for synchronous masters names none: then the set has as many as a message needs. */
function totalReplicas(configuration: BrokerConfiguration): number {
  const { values } = configuration
  const isImplied = values.brokerRole === 'SYNC_MASTER' && !configuration.isGiven('totalReplicas')
  return isImplied ? values.inSyncReplicas : values.totalReplicas
}

/** The directory of the store. */
export function brokerRoot({ values }: BrokerConfiguration): string {
  return resolve(values.storePathRootDir)
}

function followed(values: BrokerConfiguration['values'], roles: RoleOptions): SlaveOptions {
  return {
    ...roles.slave,
    masterHa: splitAddress(values.haMasterAddress),
    masterGrpc: values.masterGrpcAddress,
  }
}

/** On a port that others can reach, the loopback address would send them to themselves: a container's name is known in its network. */
function advertisedHost(configuration: BrokerConfiguration, boundHost: string): string {
  const { brokerIP1 } = configuration.values
  return configuration.isGiven('brokerIP1') || isLoopback(boundHost) ? brokerIP1 : hostname()
}

function haAdvertisedHost(configuration: BrokerConfiguration): string {
  const { values } = configuration
  return values.brokerIP2 === '' ? advertisedHost(configuration, haHost(values)) : values.brokerIP2
}

/** Records name an address, never a name: what is no address is written as the unknown one, as Apache's clients expect four bytes. */
function ipOf(host: string): string {
  return /^[\d.]+$/.test(host) || host.includes(':') ? host : '0.0.0.0'
}

/** A quarter of the descriptors this process may have: the log, the clients and the other brokers need theirs too. */
function queueFilesMax(descriptors: number): number {
  return Math.max(16, Math.min(512, Math.floor(descriptors / 4)))
}
