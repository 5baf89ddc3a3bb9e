import { replaceStateFile, messageOf, type Clock, type Files, type Logger, type Timer } from '@tandemmq/base'
import { encodeCheckpoint, type Checkpoint } from '@tandemmq/codec'
import type { CommitLog } from './commit-log.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { GroupCommit } from './group-commit.ts'
import type { IndexOfKeys } from './index-of-keys.ts'
import type { Position, PositionFile } from './position-file.ts'
import type { QueueEnds } from './queue-ends.ts'
import type { RecordBoundaries } from './record-boundaries.ts'
import type { RecoveryMarks } from './recovery-marks.ts'
import { beginOf } from './store-owner.ts'

export interface BookkeepingParts {
  readonly log: CommitLog
  readonly groupCommit: GroupCommit
  readonly queues: ConsumeQueues
  readonly index: IndexOfKeys | undefined
  readonly dispatcher: Dispatcher
  readonly position: PositionFile
  readonly marks: RecoveryMarks
  readonly boundaries: RecordBoundaries
  readonly queueEnds: QueueEnds
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
}

export interface BookkeepingOptions {
  readonly checkpointPath: string
  /** Apache's checkpoint as found: what we have no better word on is kept. */
  readonly checkpoint: Checkpoint
  readonly positionIntervalMs: number
  readonly queueSyncIntervalMs: number
}

/**
 * Writes down, some time behind the log, what a restart relies on: the position file, synced consume queues and Apache's
 * checkpoint. What is on file is always true and may be old. No timer runs while nothing changes.
 */
export class Bookkeeping {
  readonly #parts: BookkeepingParts
  readonly #options: BookkeepingOptions
  #timer: Timer | undefined
  /** {@link #timer} is over with this turn. */
  #isAtOnce = false
  #running: Promise<void> | undefined
  #stopped = false
  #queuesSyncedAt: number

  constructor(parts: BookkeepingParts, options: BookkeepingOptions) {
    this.#parts = parts
    this.#options = options
    this.#queuesSyncedAt = parts.clock.monotonic()
  }

  /** Called when flushed, dispatched or confirmed has moved. */
  wake(): void {
    if (this.#isAtOnce || this.#running !== undefined || this.#stopped) return
    this.#isAtOnce = this.#isFirst
    if (this.#timer !== undefined && !this.#isAtOnce) return
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(this.#isAtOnce ? 0 : this.#options.positionIntervalMs, () => {
      this.#timer = undefined
      this.#isAtOnce = false
      this.#running = this.#writeDown()
    })
  }

  /** Nothing is written any more once this resolves. A sync of queues under way is given up: that of many takes long. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  /** Puts the consume queues, the index and the log below them on disk and says so. False: `isEnough` has said so before, and nothing is claimed. */
  async syncQueues(isEnough: () => boolean): Promise<boolean> {
    const { log, groupCommit, queues, index, dispatcher, position, marks, queueEnds, files } = this.#parts
    const { checkpointPath } = this.#options
    const synced = dispatcher.dispatched.at
    const { storeTimestamp } = dispatcher
    const saveEnds = queueEnds.noted(queues, synced)
    await groupCommit.commit(synced)
    if (!(await queues.sync(isEnough))) return false
    await saveEnds()
    const indexMsgTimestamp = (await index?.sync()) ?? this.#options.checkpoint.indexMsgTimestamp
    const checkpoint = {
      ...this.#options.checkpoint,
      physicMsgTimestamp: storeTimestamp,
      logicsMsgTimestamp: storeTimestamp,
      indexMsgTimestamp,
      confirmPhyOffset: position.value.confirmed,
      logicsPhysicalOffset: synced,
    }
    await replaceStateFile(files, checkpointPath, encodeCheckpoint(checkpoint))
    position.note({
      queuesSynced: synced,
      scanFrom: Math.max(log.minOffset, marks.before(synced)),
      ...this.positionNow(),
    })
    this.#queuesSyncedAt = this.#parts.clock.monotonic()
    return true
  }

  /** What the position file may claim: a flushed position within a record counts only up to that record. */
  positionNow(): Pick<Position, 'flushed' | 'begin'> {
    const { log, boundaries, position } = this.#parts
    const flushed = boundaries.atOrBelow(log.flushed.at)
    return { flushed, begin: beginOf(log.minOffset, flushed) ?? position.value.begin }
  }

  /** Until something of the log is certain on file, a power cut leaves one that knows of nothing that it holds, and is a witness of nothing (rule 3.2). */
  get #isFirst(): boolean {
    const { log, position } = this.#parts
    return position.value.flushed <= log.minOffset && this.positionNow().flushed > log.minOffset
  }

  async #writeDown(): Promise<void> {
    const { log, position, dispatcher, clock, logger } = this.#parts
    try {
      if (this.#isFirst) await position.save(this.positionNow())
      const isDue = clock.monotonic() - this.#queuesSyncedAt >= this.#options.queueSyncIntervalMs
      if (isDue && dispatcher.dispatched.at > position.value.queuesSynced)
        await this.syncQueues(() => this.#stopped)
      await position.save(this.positionNow())
    } catch (failure) {
      // What is on file stays true; a restart has more to read.
      logger.warn({ why: messageOf(failure) }, 'the position of the log could not be written down')
    }
    this.#running = undefined
    if (log.fence === undefined && dispatcher.dispatched.at > position.value.queuesSynced) this.wake()
  }
}
