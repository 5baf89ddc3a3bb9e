import { BrokerError, messageOf } from '@tandemmq/base'
import { Appender } from './appender.ts'
import { tagsCodeOfRecord, type Arrival } from './arrival.ts'
import { BackgroundFlush } from './background-flush.ts'
import { BatchQueues } from './batch-queues.ts'
import { Bookkeeping } from './bookkeeping.ts'
import { CommitLog } from './commit-log.ts'
import { ConsumeQueueFiles } from './consume-queue-files.ts'
import { ConsumeQueues } from './consume-queues.ts'
import { Dispatcher } from './dispatcher.ts'
import { GroupCommit } from './group-commit.ts'
import { IndexNames } from './index-names.ts'
import { IndexOfKeys } from './index-of-keys.ts'
import type { LogIdentity } from './log-identity.ts'
import { cutLog } from './log-cut.ts'
import { LogExpiry, finishExpiry } from './log-expiry.ts'
import { hasUnsyncedQueues, type PositionFile } from './position-file.ts'
import { PropertyChecksums } from './property-checksums.ts'
import type { QueueEnds } from './queue-ends.ts'
import { QueueOffsets } from './queue-offsets.ts'
import { recoverStore, type RecoveryReport } from './recovery.ts'
import { RecordBoundaries } from './record-boundaries.ts'
import { readRecord } from './record-reading.ts'
import { SegmentReader } from './segment-reader.ts'
import { readCheckpoint, type StoreEvidence } from './store-evidence.ts'
import { isMarkedRunning, markStopped } from './store-directory.ts'
import { removeStraySegments } from './stray-segments.ts'
import { scanLimitsOf, type CompleteStoreOptions, type StorePorts } from './store-options.ts'
import { beginOf } from './store-owner.ts'
import type { UnqueuedRecords } from './unqueued-records.ts'
import { ZeroAhead } from './zero-ahead.ts'

/** Syncing many queues can take longer than a stop may (docker: 10 s, our compose file: 15 s); what is left then is built again if power fails, ms. */
const SYNC_AT_STOP_MS = 5000

/** What outlives a session: a truncation ends one and begins another. */
export interface SessionContext {
  readonly options: CompleteStoreOptions
  readonly ports: StorePorts
  readonly position: PositionFile
  readonly identity: LogIdentity
  readonly queueEnds: QueueEnds
  readonly unqueued: UnqueuedRecords
  readonly observeSync: (tookMs: number) => void
  readonly emit: (arrivals: readonly Arrival[]) => void
}

/** The store from one opening of the log to its end: the parts that share one run of positions, wired together. */
export class StoreSession {
  readonly report: RecoveryReport
  readonly log: CommitLog
  readonly groupCommit: GroupCommit
  readonly queues: ConsumeQueues
  /** `undefined`: this store keeps no index. */
  readonly index: IndexOfKeys | undefined
  readonly dispatcher: Dispatcher
  readonly bookkeeping: Bookkeeping
  readonly expiry: LogExpiry
  readonly #context: SessionContext
  readonly #zeroAhead: ZeroAhead
  readonly #backgroundFlush: BackgroundFlush

  private constructor(
    context: SessionContext,
    found: Awaited<ReturnType<typeof recoverStore>>,
    log: CommitLog,
    queues: ConsumeQueues,
    index: IndexOfKeys | undefined,
    evidence: StoreEvidence,
  ) {
    const { options, ports, position, queueEnds } = context
    const { clock, logger, files } = ports
    this.#context = context
    this.report = found.report
    this.log = log
    this.queues = queues
    this.index = index
    queues.recordAt = (offset, size) => {
      try {
        return readRecord(log, scanLimitsOf(options), offset, size, options.propertyCrc)
      } catch (failure) {
        if (failure instanceof BrokerError) return undefined
        throw failure
      }
    }
    queues.extensions.tagsCodeAt = (offset, size) => {
      const record = queues.recordAt(offset, size)
      return record && tagsCodeOfRecord(record)
    }
    this.groupCommit = new GroupCommit(log, logger, () => clock.monotonic(), context.observeSync)
    const { emit } = context
    const limits = scanLimitsOf(options)
    const checksums = new PropertyChecksums(options.propertyCrc)
    const parts = { log, queues, index, checksums }
    this.dispatcher = new Dispatcher(parts, limits, ports, emit, found.storeTimestamp)
    this.#zeroAhead = new ZeroAhead(log, this.groupCommit, logger, options.preZeroBytes)
    this.#backgroundFlush = new BackgroundFlush(log, this.groupCommit, clock, options.flushIntervalMs)
    const { marks } = found
    const boundaries = new RecordBoundaries(log.written.at)
    const { groupCommit, dispatcher } = this
    this.bookkeeping = new Bookkeeping(
      {
        log,
        groupCommit,
        queues,
        index,
        dispatcher,
        position,
        marks,
        boundaries,
        queueEnds,
        files,
        clock,
        logger,
      },
      { ...options, checkpointPath: checkpointPath(options), checkpoint: evidence.checkpoint },
    )
    this.expiry = new LogExpiry({ log, queues, index, dispatcher, position, files, clock, logger })
    log.written.onAdvance(() => {
      this.dispatcher.wake()
      this.#backgroundFlush.wake()
      this.#zeroAhead.wake()
    })
    log.flushed.onAdvance(() => this.bookkeeping.wake())
    this.dispatcher.dispatched.onAdvance((at) => {
      marks.note(at)
      boundaries.note(at)
      this.bookkeeping.wake()
    })
    if (log.written.at > position.value.queuesSynced) this.bookkeeping.wake()
  }

  /** Recovers what is on disk; finishes a cut that has begun. */
  static async open(
    context: SessionContext,
    positionFound: StoreEvidence['positionFound'],
  ): Promise<StoreSession> {
    const { options, ports, position, identity } = context
    const { files, logger } = ports
    const directory = `${options.root}/commitlog`
    await finishExpiry(files, directory, position.value.expireTo, options.segmentBytes)
    await finishCut(context, directory)
    const evidence: StoreEvidence = {
      position: position.value,
      positionFound,
      abortFound: isMarkedRunning(files, options.root),
      checkpoint: readCheckpoint(files, checkpointPath(options), logger),
      lineage: identity.lineage,
      bootId: options.bootId,
    }
    const queueFiles = new ConsumeQueueFiles(
      files,
      options.consumeQueueFileBytes,
      options.consumeQueueFilesMax,
    )
    const batches = new BatchQueues(
      `${options.root}/batchconsumequeue`,
      new ConsumeQueueFiles(files, options.batchQueueFileBytes, options.consumeQueueFilesMax),
    )
    const queues = new ConsumeQueues(
      `${options.root}/consumequeue`,
      queueFiles,
      context.unqueued,
      batches,
      options.isBatchTopic,
    )
    const index = options.index && new IndexOfKeys(options.root, options.index, ports)
    if (index === undefined) await new IndexNames(files, options.root).forget()
    if (positionFound === 'current') {
      await removeStraySegments(files, directory, position.value, options.segmentBytes, logger)
    }
    const reader = SegmentReader.open(files, directory, scanLimitsOf(options))
    try {
      const { queueEnds } = context
      const checksums = new PropertyChecksums(options.propertyCrc)
      const found = await recoverStore(files, reader, queues, queueEnds, index, evidence, checksums, logger)
      const log = new CommitLog({ ...options, directory }, files, ports.clock, reader.first, found.report.end)
      const { end } = found.report
      position.note({
        begin: beginOf(reader.first, end),
        flushed: end,
        confirmed: Math.min(position.value.confirmed, end),
        cleanEnd: undefined,
        bootId: options.bootId,
        queuesSynced: Math.min(position.value.queuesSynced, found.queuesSynced),
        scanFrom: found.readFrom,
        cutTo: undefined,
        expireTo: undefined,
      })
      return new StoreSession(context, found, log, queues, index, evidence)
    } catch (failure) {
      queues.close()
      index?.close()
      throw failure
    } finally {
      reader.close()
    }
  }

  /** A writer that goes on where the log ends. Everything in the log must have been dispatched. */
  appender(): Appender {
    const { options, ports } = this.#context
    return new Appender(this.log, new QueueOffsets(this.queues), this.dispatcher, options, ports.clock)
  }

  /** Brings everything to disk, except for queues that would take too long. False: that failed, or dispatch is stuck; a restart has to recover. */
  async settle(): Promise<boolean> {
    this.#zeroAhead.stop()
    this.#backgroundFlush.stop()
    await this.expiry.stop()
    await this.bookkeeping.stop()
    this.dispatcher.drain()
    if (this.log.fence !== undefined || this.dispatcher.dispatched.failure !== undefined) return false
    await this.groupCommit.commit(this.log.written.at)
    this.queues.settleKinds()
    await this.index?.finish()
    const { clock } = this.#context.ports
    const until = clock.monotonic() + SYNC_AT_STOP_MS
    await this.bookkeeping.syncQueues(() => clock.monotonic() >= until)
    return true
  }

  /** A clean stop, if all can be brought to disk: then the next start knows it. Whoever waits is told `reason`. */
  async stop(reason: BrokerError): Promise<void> {
    const { ports, options, position } = this.#context
    let isClean = false
    try {
      isClean = await this.settle()
    } catch (failure) {
      ports.logger.error({ why: messageOf(failure) }, 'the store could not be brought to disk before its end')
    }
    const cleanEnd = this.dispatcher.dispatched.at
    await this.end(reason)
    if (!isClean) return
    await position.save({ cleanEnd, flushed: cleanEnd })
    if (!hasUnsyncedQueues(position.value)) await markStopped(ports.files, options.root)
  }

  /** The process cannot go on with what was opened. */
  abandon(): Promise<void> {
    return this.end(new BrokerError('LOG_CLOSED', 'the store could not be opened'))
  }

  /** Ends all work; whoever waits is told `reason`. */
  async end(reason: BrokerError): Promise<void> {
    this.#zeroAhead.stop()
    this.#backgroundFlush.stop()
    this.dispatcher.stop(reason)
    this.log.endFrontiers(reason)
    await this.expiry.stop()
    await this.bookkeeping.stop()
    await this.groupCommit.idle()
    this.log.close()
    this.queues.close()
    this.index?.close()
  }
}

function checkpointPath(options: CompleteStoreOptions): string {
  return `${options.root}/checkpoint`
}

/** Cuts log and ancestry where the position file orders it. The order stays until recovery behind it has succeeded. */
async function finishCut(context: SessionContext, directory: string): Promise<void> {
  const { options, ports, position, identity } = context
  const { cutTo } = position.value
  if (cutTo === undefined) return
  const remains = await cutLog(ports.files, directory, cutTo, options.segmentBytes)
  await identity.cutAt(remains ? cutTo : 0)
}
