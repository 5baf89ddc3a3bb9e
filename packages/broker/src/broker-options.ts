import type { Address, Clock, Files, Logger, Meter, Net, Random } from '@tandemmq/base'
import type { Host, IndexGeometry } from '@tandemmq/codec'
import type { HandBackWay, MetadataSource } from '@tandemmq/metadata'
import type { Appointment, RegistryLink } from '@tandemmq/registry'
import type { DurabilityMode } from './durability-mode.ts'
import type { RetentionRules } from '@tandemmq/storage'
import type { CreationRules } from './topics-and-groups.ts'

/** One broker. Which of `master` and `slave` is filled in decides its role at start. */
export interface BrokerOptions {
  /** `brokerClusterName`. */
  readonly cluster: string
  /** `brokerName`: the broker set. */
  readonly set: string
  /** Unique in the set and kept over restarts. */
  readonly identity: string
  /** Members the set is configured to have, this one included (`totalReplicas`). */
  readonly totalReplicas: number
  /** `storePathRootDir`. */
  readonly root: string
  /** Which boot of the machine this is; empty if unknown. */
  readonly bootId: string
  /** `mappedFileSizeCommitLog`. */
  readonly segmentBytes: number
  /** `maxMessageSize`. */
  readonly maxMessageBytes: number
  /** Shape of the files of the index of keys (`maxHashSlotNum`, `maxIndexNum`); absent: no index. */
  readonly index?: IndexGeometry
  /** Records end with a checksum over all of them (`enabledAppendPropCRC`). Default false. */
  readonly propertyCrc?: boolean
  /** Messages may ask for places in light queues (`enableLmq`, `enableMultiDispatch`). Default false. */
  readonly lightQueues?: boolean
  /** How long a byte may stay unflushed that nobody waits for, ms; default 500. */
  readonly flushIntervalMs?: number
  /** What records name as their store host (`brokerIP1` and port). */
  readonly storeHost: Host
  readonly mode: DurabilityMode
  readonly create: CreationRules
  /** Authenticates the members of the set to each other and signs receipt handles; absent: loopback only. */
  readonly secret?: Buffer
  /** On the HA port the members also show each other certificates that name them (mutual TLS). Default false. */
  readonly certified?: boolean
  /** `host:port` at which gateways and the other members reach this broker's gRPC. */
  readonly grpcAddress: string
  /** A slave: `host:port` at which it would send its log if it were made master; absent: it cannot be. */
  readonly haIfMaster?: string
  /** Who was made master of this set, as this broker has last written down; in accordance with `master` and `slave`. */
  readonly appointment?: Appointment
  readonly master?: MasterOptions
  readonly slave?: SlaveOptions
  /** Consume queue files open at a time; default 512. */
  readonly consumeQueueFilesMax?: number
  /** When old files of the log are removed; absent: never. */
  readonly retention?: RetentionRules
  /** Share of the disk, 0 … 1, that messages leave free; the store's own reserve is kept in any case. Default 0. */
  readonly keptFreeRatio?: number
  readonly flushTimeoutMs: number
  readonly slaveTimeoutMs: number
}

export interface MasterOptions {
  readonly haListen: Address
  /** `host:port` that slaves are told; its port 0 stands for the one that was bound. */
  readonly haAdvertisedHost: string
  /** A directory without a log may begin one at once (rule 1.6). */
  readonly createLog: boolean
  /** Confirms a loss: a tail that may be missing is not waited for (rule 3.4). */
  readonly acceptLoss: boolean
  /** How much of the log is kept for slaves that still need it: bytes, and ms (`haRetentionHoldBytes`, `haRetentionHoldTime`). Default: nothing. */
  readonly hold?: { readonly bytesMax: number; readonly timeMaxMs: number }
  /** Most of the log that goes to one slave in a second; absent: no limit (`maxHaTransferByteInSecond`). */
  readonly haBytesPerSecond?: number
  /** A slave that lacks as many bytes is not counted on (`haMaxGapNotInSync`, rule 2.8). Default 256 MiB. */
  readonly haMaxGapNotInSync?: number
  /** Slaves of Apache RocketMQ, which say no hello (rule 2.6). Default `none`. */
  readonly legacySlaves?: 'none' | 'served' | 'counted'
}

export interface SlaveOptions {
  readonly masterHa: Address
  /** `apache`: a genuine Apache master, of which only the log can be had (rule 2.6). Default `tandemmq`. */
  readonly peer?: 'tandemmq' | 'apache'
  /** gRPC of the master, for metadata; unused with a master of Apache's. */
  readonly masterGrpc: string
  /** How often metadata is pulled, ms. */
  readonly pullIntervalMs: number
  /** Also watch the master's changes between two pulls. */
  readonly watch: boolean
  /** Confirms that the store was a master's until now. Default false. */
  readonly acceptLoss?: boolean
}

export interface BrokerPorts {
  readonly files: Files
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  /** Absent: no registry; the master alone serves (rule 4.2). */
  readonly registry?: RegistryLink
  /** The metadata service of the broker at `address`. */
  readonly metadataSource: (address: string) => MetadataSource
  /** Through metadata-rpc to the master of the set, by its identity (rule 4.7); absent: there is no way but a connection. */
  readonly handBackAround?: (master: string) => HandBackWay
}
