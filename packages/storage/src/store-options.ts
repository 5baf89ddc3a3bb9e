import { BrokerError, type Clock, type Files, type Logger, type Meter, type Random } from '@tandemmq/base'
import { BATCH_UNIT_BYTES, UNIT_BYTES, type Host, type IndexGeometry, type ScanLimits } from '@tandemmq/codec'
import type { StoreOwner } from './store-owner.ts'

export interface StoreOptions {
  /** The store's directory (Apache: storePathRootDir). Created if missing. */
  readonly root: string
  /** Written into every record of ours. */
  readonly storeHost: Host
  /** Names this boot of the machine; empty if that cannot be known, which counts as another one each time. */
  readonly bootId: string
  /** Length of a commit log file (Apache: mappedFileSizeCommitLog). Default 1 GiB. */
  readonly segmentBytes?: number
  /** Length of a consume queue file, a multiple of 20 (Apache: mappedFileSizeConsumeQueue × 20). Default 6,000,000. */
  readonly consumeQueueFileBytes?: number
  /** Length of a batch queue file, a multiple of 46 (Apache: mapperFileSizeBatchConsumeQueue). Default 13,800,000. */
  readonly batchQueueFileBytes?: number
  /** Whether a topic's records may hold several messages (its attribute `queue.type` is `BatchCQ`). Default: none does. */
  readonly isBatchTopic?: (topic: string) => boolean
  /** The longest body (Apache: maxMessageSize). Default 4 MiB. A record may be 64 KiB longer. */
  readonly maxMessageBytes?: number
  /** How long a byte may stay unflushed that nobody waits for (Apache: flushIntervalCommitLog). Default 500 ms. */
  readonly flushIntervalMs?: number
  /** Zeros written and synced ahead of the writer; 0: none. They pay where senders wait for syncs. Default 4 MiB. */
  readonly preZeroBytes?: number
  /** How much of the log's tail stays in memory for those who follow it. Default 4 MiB. */
  readonly tailBytes?: number
  /** How much of what was read from files of the log is kept, for all readers together. Default 8 MiB. */
  readonly coldBytes?: number
  /** How often the position file follows the log while that grows. Default 1,000 ms. */
  readonly positionIntervalMs?: number
  /** How often consume queues are synced while the log grows: as much is dispatched again after a crash. Default 5,000 ms. */
  readonly queueSyncIntervalMs?: number
  /** Consume queue files open at a time. Default 512. */
  readonly consumeQueueFilesMax?: number
  /** Share of the disk, 0 … 1, that messages leave free; the store's own reserve is kept in any case. Default 0. */
  readonly keptFreeRatio?: number
  /** Shape of the files of the index of keys (Apache: maxHashSlotNum, maxIndexNum). Default: no index. */
  readonly index?: IndexGeometry | undefined
  /** Every record of ours ends with a checksum over all of it (Apache: enabledAppendPropCRC). Default false. */
  readonly propertyCrc?: boolean
  /**
   * Messages may ask for places in light queues (Apache: enableLmq and enableMultiDispatch). Default false. What records say of such places is
   * dispatched in any case.
   */
  readonly lightQueues?: boolean
  /** Whose store this is; it is written down, and another's is refused. Default: nobody asks. */
  readonly owner?: StoreOwner
  /** The operator's word that what is missing from the log, or may be, is given up. Default false. */
  readonly acceptLoss?: boolean
}

/** All of them have a value, except that a store need not have an owner or an index. */
export type CompleteStoreOptions = Required<Omit<StoreOptions, 'owner' | 'index'>> &
  Pick<StoreOptions, 'owner' | 'index'>

export interface StorePorts {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
}

const MIB = 1024 * 1024

/** What a record may be longer than its body (as in Apache). */
const RECORD_OVERHEAD_MAX = 64 * 1024

/** How far the lengths found in this store's log are believed. */
export function scanLimitsOf(options: CompleteStoreOptions): ScanLimits {
  return { recordBytesMax: options.maxMessageBytes + RECORD_OVERHEAD_MAX, segmentBytes: options.segmentBytes }
}

/** All options, checked. Throws `CONFIG_INVALID` naming the first that cannot be. */
export function completeOptions(options: StoreOptions): CompleteStoreOptions {
  const complete = {
    ...options,
    segmentBytes: options.segmentBytes ?? 1024 * MIB,
    consumeQueueFileBytes: options.consumeQueueFileBytes ?? 300_000 * UNIT_BYTES,
    batchQueueFileBytes: options.batchQueueFileBytes ?? 300_000 * BATCH_UNIT_BYTES,
    isBatchTopic: options.isBatchTopic ?? (() => false),
    maxMessageBytes: options.maxMessageBytes ?? 4 * MIB,
    flushIntervalMs: options.flushIntervalMs ?? 500,
    preZeroBytes: options.preZeroBytes ?? 4 * MIB,
    tailBytes: options.tailBytes ?? 4 * MIB,
    coldBytes: options.coldBytes ?? 8 * MIB,
    positionIntervalMs: options.positionIntervalMs ?? 1000,
    queueSyncIntervalMs: options.queueSyncIntervalMs ?? 5000,
    consumeQueueFilesMax: options.consumeQueueFilesMax ?? 512,
    propertyCrc: options.propertyCrc ?? false,
    keptFreeRatio: options.keptFreeRatio ?? 0,
    lightQueues: options.lightQueues ?? false,
    acceptLoss: options.acceptLoss ?? false,
  }
  demand(complete.segmentBytes, 1024, 2 ** 31 - 1, 'segmentBytes')
  demand(complete.consumeQueueFileBytes, UNIT_BYTES, 2 ** 31 - 1, 'consumeQueueFileBytes')
  demand(complete.maxMessageBytes, 10, 512 * MIB, 'maxMessageBytes')
  demand(complete.preZeroBytes, 0, 512 * MIB, 'preZeroBytes')
  demand(complete.consumeQueueFilesMax, 1, 1_000_000, 'consumeQueueFilesMax')
  if (complete.index !== undefined) {
    demand(complete.index.slots, 1, 100_000_000, 'index.slots')
    demand(complete.index.entries, 2, 100_000_000, 'index.entries')
  }
  demand(complete.batchQueueFileBytes, BATCH_UNIT_BYTES, 2 ** 31 - 1, 'batchQueueFileBytes')
  if (complete.batchQueueFileBytes % BATCH_UNIT_BYTES !== 0) {
    throw new BrokerError('CONFIG_INVALID', 'batchQueueFileBytes must be a multiple of 46')
  }
  if (complete.consumeQueueFileBytes % UNIT_BYTES !== 0) {
    throw new BrokerError('CONFIG_INVALID', 'consumeQueueFileBytes must be a multiple of 20')
  }
  return complete
}

function demand(value: number, min: number, max: number, name: string): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new BrokerError('CONFIG_INVALID', `${name} must be an integer from ${min} to ${max}, not ${value}`, {
    facts: { value },
  })
}
