import {
  BrokerError,
  diskError,
  type Clock,
  type Files,
  type Logger,
  type Meter,
  type QueueOffset,
} from '@tandemmq/base'
import type { Answer, SyncResult } from './answer.ts'
import { AppliedChanges } from './applied-changes.ts'
import type { Change } from './change.ts'
import { ChangeFeed } from './change-feed.ts'
import { ChangeIntake } from './change-intake.ts'
import type { ConfigTable } from './config-table.ts'
import type { Cursor } from './cursor.ts'
import type { DelayProgress } from './delay-progress.ts'
import { divergedProgress } from './diverged-progress.ts'
import { FollowedStore } from './followed-store.ts'
import type { GroupConfig } from './group-config.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { MetadataDisk } from './metadata-disk.ts'
import { MetadataState } from './metadata-state.ts'
import { movedProgress, type ServedPlace } from './moved-progress.ts'
import { progressCut } from './progress-cut.ts'
import type { ProgressTable } from './progress-table.ts'
import type { QueueProgress } from './queue-progress.ts'
import { snapshotOf, type Snapshot } from './snapshot.ts'
import type { TopicConfig } from './topic-config.ts'

export interface MetadataOptions {
  /** The store's directory: `config/` and `journal/` lie there. Absent: nothing is kept on disk (a read-only copy). */
  readonly root?: string
  /** Default true: a config file that was edited is an operator's order. A slave passes false: only the master decides (rule 5.4). */
  readonly acceptEdits?: boolean
  /** Default false: without a journal, Apache's files are where we begin. True: there was one before, and a start without it is refused. */
  readonly journalExpected?: boolean
  /** Default false. True: the last stop was a clean one, and an end of the journal that is missing is told. */
  readonly closedCleanly?: boolean
  readonly journal?: {
    /** Default 100 ms. */
    readonly syncDelayMs?: number
    /** Default 4 MiB. */
    readonly compactBytes?: number
    /** Default 64 MiB. */
    readonly limitBytes?: number
  }
  /** Changes remembered for those who ask what is new. Default 16384. */
  readonly feedSize?: number
  /** Entries that may wait for bytes of the log. Default 100 000. */
  readonly pendingMax?: number
}

export interface MetadataPorts {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly log: LogKnowledge
}

const MIB = 1024 * 1024

/** Topics, groups, consumer progress and delay progress of one broker set, as one of its members knows them. */
export class MetadataStore implements AsyncDisposable {
  readonly #state = new MetadataState()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #log: LogKnowledge
  readonly #feed: ChangeFeed
  readonly #changes: AppliedChanges
  readonly #intake: ChangeIntake
  readonly #followed: FollowedStore
  #disk: MetadataDisk | undefined
  /** Of these queues something may have to be forgotten once the log has come far enough. */
  #undecided: readonly QueueProgress[] = []

  private constructor(options: MetadataOptions, ports: MetadataPorts) {
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#log = ports.log
    this.#feed = new ChangeFeed(options.feedSize ?? 16_384, ports.clock)
    this.#changes = new AppliedChanges(this.#state, this.#feed, ports.clock)
    this.#intake = new ChangeIntake(this.#changes, options.pendingMax ?? 100_000, ports)
    this.#followed = new FollowedStore(this.#intake)
  }

  /**
   * Restores what an earlier life knew. Throws `STATE_FILE_CORRUPT` naming the file, and for the journal the place, of
   * damage; nothing was changed then. `DISK_FULL`, or `UNAVAILABLE` for what else the file system refuses.
   */
  static async open(options: MetadataOptions, ports: MetadataPorts): Promise<MetadataStore> {
    const store = new MetadataStore(options, ports)
    if (options.root === undefined) return store
    const journal = { syncDelayMs: 100, compactBytes: 4 * MIB, limitBytes: 64 * MIB, ...options.journal }
    const { root, acceptEdits = true, journalExpected = false, closedCleanly = false } = options
    const restoring = { root, acceptEdits, journalExpected, closedCleanly }
    let disk: MetadataDisk
    try {
      disk = await MetadataDisk.open({ ...restoring, journal }, ports, {
        state: store.#state,
        replay: (change) => store.#intake.replay(change),
        pending: () => store.#intake.waiting(),
      })
    } catch (failure) {
      throw diskError(failure)
    }
    store.#disk = disk
    store.#changes.writeTo(disk)
    // What was replayed is no news: the sequence of this life begins here.
    store.#feed.begin(disk.processEpoch)
    ports.meter.observe('rocketmq_ha_journal_bytes', 'Length of the progress journal', [], () => [
      { value: disk.journalBytes },
    ])
    return store
  }

  get topics(): ConfigTable<TopicConfig> {
    return this.#state.topics
  }

  get groups(): ConfigTable<GroupConfig> {
    return this.#state.groups
  }

  get progress(): ProgressTable {
    return this.#state.progress
  }

  get delay(): DelayProgress {
    return this.#state.delay
  }

  /** Where this store's own changes stand. */
  get cursor(): Cursor {
    return this.#feed.cursor
  }

  /** What to ask the followed store for next; undefined: everything. */
  get followed(): Cursor | undefined {
    return this.#followed.cursor
  }

  /** Entries that wait for bytes of the log. */
  get pending(): number {
    return this.#intake.pending
  }

  /** Why nothing of progress can be written down any more until a restart; `undefined` as long as that is not so. */
  get failure(): BrokerError | undefined {
    return this.#disk?.failure
  }

  /** Nothing new may be handed out until the journal has been compacted; acknowledgements are taken (rule 5.1). */
  get journalFull(): boolean {
    return this.#disk?.isFull ?? false
  }

  /**
   * Records a change of this broker's own making, applies it and tells the watchers. It survives the process when this
   * returns, and the machine 200 ms later or after {@link synced}. If it throws, nothing has changed: `ILLEGAL_ARGUMENT` for a bad
   * name, `SYSTEM_BUSY` for a lease while the journal is full, `DISK_FULL`, or `LOG_FENCED` for good.
   */
  commit(change: Change): void {
    if (change.kind === 'lease' && this.journalFull) {
      throw new BrokerError('SYSTEM_BUSY', 'the progress journal is full: nothing new is handed out')
    }
    this.#changes.make(change)
  }

  /**
   * A scheduled record was put into its topic, at `to`: what groups have done with the scheduled one, which a slave had given them, counts there (rule 5.6).
   * Returns these groups.
   */
  moveServed(scheduled: QueueOffset, to: ServedPlace): readonly string[] {
    const changes = movedProgress(this.delay, scheduled, to, this.#clock.monotonic())
    // Leases too, however full the journal is: they were handed out long ago.
    for (const change of changes) this.#changes.make(change)
    if (changes.length > 0) this.#changes.make({ kind: 'moved', from: scheduled, to: scheduled + 1 })
    return changes.map(({ group }) => group)
  }

  /**
   * Cuts all progress to the queue ends at which a new epoch of the log begins (rule 5.2), and forgets what internal writes have settled that lay behind that
   * (rule 5.5). Queues whose progress does not reach past their end keep their generation. Returns how many were cut.
   */
  cutTo(endOf: (topic: string, queueId: number) => number): number {
    this.#intake.countHeld()
    const { changes } = divergedProgress(this.#state.progress.all(), this.#log, this.#clock.monotonic())
    const beyond = progressCut(this.#state.progress.all(), endOf, this.#feed.processEpoch)
    if (beyond !== undefined) {
      this.#changes.make(beyond.cut)
      this.#logger.warn({ queues: beyond.count }, 'progress past the end of the log was cut')
    }
    for (const change of changes) this.#changes.take(change)
    return beyond?.count ?? 0
  }

  /**
   * The log has another lineage than before: what is known here of records that another epoch has taken from it is forgotten, or it would count for those that
   * have their offsets now (rule 5.2). All that the other side knows is asked for anew. Returns in how many parts; of a queue of which that cannot be said yet,
   * it happens when the log has come that far.
   */
  lineageChanged(): number {
    return this.#forgetDiverged(this.#state.progress.all())
  }

  /** At most `limit` changes after `cursor`, or a snapshot where memory does not reach back that far. */
  changesSince(cursor: Cursor | undefined, limit = 4096): Answer {
    const changes = this.#feed.since(cursor, limit)
    if (cursor === undefined || changes === undefined) {
      return { cursor: this.#feed.cursor, snapshot: this.snapshot(), changes: [] }
    }
    const counter = cursor.counter + changes.length
    return { cursor: { processEpoch: cursor.processEpoch, counter }, since: cursor, changes }
  }

  /** Calls `listener` after changes, once for all of a turn; returns how to stop. */
  onChange(listener: () => void): () => void {
    return this.#feed.onChange(listener)
  }

  /**
   * Everything known, leases with the time that is left of them. With what waits for bytes of the log, which whoever has them may not know: this broker's journal may
   * say more than its log after a power cut.
   */
  snapshot(): Snapshot {
    return snapshotOf(this.#state, this.#clock.monotonic(), this.#intake.waiting())
  }

  /** Takes over what the followed store answered. Deletes nothing that was not explicitly deleted. */
  applyRemote(answer: Answer): SyncResult {
    return this.#followed.apply(answer)
  }

  /** Takes over all that another member knows (rule 4.7: hand-back). Unions: nothing known here is lost (rule 5.3). */
  merge(snapshot: Snapshot): SyncResult {
    return this.#followed.merge(snapshot)
  }

  /** The log has grown, or its queues: what waited for its bytes counts now, or is forgotten. Cheap when nothing waits. */
  logAdvanced(): void {
    if (this.#undecided.length > 0) this.#forgetDiverged(this.#undecided)
    this.#intake.logAdvanced()
  }

  /** This broker begins to serve, and its log may not grow any more for now: of what waits, all counts that is about the records which are here. */
  countHeld(): void {
    this.#intake.countHeld()
  }

  /** Resolves once everything committed so far is on disk. */
  synced(): Promise<void> {
    return this.#disk?.synced() ?? Promise.resolve()
  }

  /** Writes those of Apache's config files that are behind. */
  persist(): Promise<void> {
    return this.#disk?.persist() ?? Promise.resolve()
  }

  /** Writes everything down and stops. */
  async close(): Promise<void> {
    await this.#disk?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #forgetDiverged(queues: Iterable<QueueProgress>): number {
    const { changes, undecided } = divergedProgress(queues, this.#log, this.#clock.monotonic())
    this.#undecided = undecided
    if (changes.length === 0) return 0
    for (const change of changes) this.#changes.take(change)
    this.#followed.askAnew()
    this.#logger.warn(
      { queues: changes.length },
      'progress of records that are not in this log any more was forgotten',
    )
    return changes.length
  }
}
