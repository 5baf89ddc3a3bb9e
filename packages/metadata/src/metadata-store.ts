import {
  BrokerError,
  diskError,
  type Clock,
  type Counter,
  type Files,
  type Logger,
  type Meter,
  type QueueOffset,
} from '@tandemmq/base'
import type { Answer, KindResult, SyncResult } from './answer.ts'
import type { Change } from './change.ts'
import { completed, generationAfter } from './change-completion.ts'
import { ChangeFeed } from './change-feed.ts'
import type { ConfigTable } from './config-table.ts'
import { compareCursors, type Cursor } from './cursor.ts'
import type { DelayProgress } from './delay-progress.ts'
import type { GroupConfig } from './group-config.ts'
import { divergedProgress, unsettledProgress } from './diverged-progress.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { MetadataDisk } from './metadata-disk.ts'
import { MetadataState } from './metadata-state.ts'
import { movedProgress, type ServedPlace } from './moved-progress.ts'
import { PendingChanges } from './pending-changes.ts'
import type { ProgressTable } from './progress-table.ts'
import type { QueueProgress } from './queue-progress.ts'
import { METADATA_KINDS, kindOf, snapshotOf, type MetadataKind, type Snapshot } from './snapshot.ts'
import { gate } from './stamp-gate.ts'
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
/** After entries that waited for the log could not be written down. */
const PENDING_RETRY_MS = 1_000

/** Topics, groups, consumer progress and delay progress of one broker set, as one of its members knows them. */
export class MetadataStore implements AsyncDisposable {
  readonly #state = new MetadataState()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #log: LogKnowledge
  readonly #feed: ChangeFeed
  readonly #pending: PendingChanges
  readonly #droppedCounter: Counter
  /** Up to where the changes of the store we follow are applied. */
  #followed: Cursor | undefined
  /** Something had to be forgotten for want of room: ask for everything once the log has caught up. */
  #hasForgotten = false
  #pendingRetryAt = 0

  #disk: MetadataDisk | undefined

  private constructor(options: MetadataOptions, ports: MetadataPorts) {
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#log = ports.log
    this.#feed = new ChangeFeed(options.feedSize ?? 16_384, ports.clock)
    this.#pending = new PendingChanges(options.pendingMax ?? 100_000)
    this.#droppedCounter = ports.meter.counter(
      'rocketmq_ha_progress_dropped_total',
      'Entries of progress that contradict the lineage of the log',
    )
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
        replay: (change) => store.#takeAll([change], new Map(), true),
        pending: () => store.#pending.all(),
      })
    } catch (failure) {
      throw diskError(failure)
    }
    store.#disk = disk
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
    return this.#hasForgotten && this.#pending.size === 0 ? undefined : this.#followed
  }

  /** Entries that wait for bytes of the log. */
  get pending(): number {
    return this.#pending.size
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
    this.#make(change)
  }

  /**
   * A scheduled record was put into its topic, at `to`: what groups have done with the scheduled one, which a slave had given them, counts there (rule 5.6).
   * Returns these groups.
   */
  moveServed(scheduled: QueueOffset, to: ServedPlace): readonly string[] {
    const changes = movedProgress(this.delay, scheduled, to, this.#clock.monotonic())
    // Leases too, however full the journal is: they were handed out long ago.
    for (const change of changes) this.#make(change)
    if (changes.length > 0) this.#make({ kind: 'moved', from: scheduled, to: scheduled + 1 })
    return changes.map(({ group }) => group)
  }

  /**
   * Cuts all progress to the queue ends at which a new epoch of the log begins (rule 5.2), and forgets what internal writes have settled that lay behind that
   * (rule 5.5). Queues whose progress does not reach past their end keep their generation. Returns how many were cut.
   */
  cutTo(endOf: (topic: string, queueId: number) => number): number {
    const unsettled = unsettledProgress(this.#state.progress.all(), this.#log, this.#clock.monotonic())
    for (const change of unsettled) this.#take(change)
    const beyond: QueueProgress[] = []
    const ends = new Map<string, { topic: string; queueId: number; end: number }>()
    for (const queue of this.#state.progress.all()) {
      const end = endOf(queue.topic, queue.queueId)
      if (queue.end <= end) continue
      beyond.push(queue)
      ends.set(`${queue.topic}/${queue.queueId}`, { topic: queue.topic, queueId: queue.queueId, end })
    }
    if (beyond.length === 0) return 0
    const generation = generationAfter(beyond, this.#feed.processEpoch)
    this.commit({ kind: 'cut', ends: [...ends.values()], generation })
    this.#logger.warn({ queues: beyond.length }, 'progress past the end of the log was cut')
    return beyond.length
  }

  /**
   * The log has another lineage than before: what is known here of records that another epoch has taken from it is forgotten, or it would count for those that
   * have their offsets now (rule 5.2). All that the other side knows is asked for anew. Returns in how many parts.
   */
  lineageChanged(): number {
    const diverged = divergedProgress(this.#state.progress.all(), this.#log, this.#clock.monotonic())
    if (diverged.length === 0) return 0
    for (const change of diverged) this.#take(change)
    this.#followed = undefined
    this.#logger.warn(
      { queues: diverged.length },
      'progress of records that are not in this log any more was forgotten',
    )
    return diverged.length
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

  /** Everything known, leases with the time that is left of them. */
  snapshot(): Snapshot {
    return snapshotOf(this.#state, this.#clock.monotonic())
  }

  /** Takes over what the followed store answered. Deletes nothing that was not explicitly deleted. */
  applyRemote(answer: Answer): SyncResult {
    if (answer.snapshot !== undefined) {
      this.#hasForgotten = false
      const result = this.#applySnapshot(answer.snapshot, answer.problems)
      // A pull may be overtaken by the watch.
      const isOld =
        this.#followed?.processEpoch === answer.cursor.processEpoch &&
        compareCursors(answer.cursor, this.#followed) < 0
      if (!isOld) this.#followed = answer.cursor
      return result
    }
    const { since } = answer
    const applied = this.followed
    const known =
      applied && since && applied.processEpoch === since.processEpoch ? applied.counter - since.counter : -1
    // Without all changes between the two cursors they cannot be told apart by their place.
    const isWhole = answer.changes.length === answer.cursor.counter - (since?.counter ?? 0)
    if (known < 0 || known > answer.changes.length || (known > 0 && !isWhole)) {
      this.#followed = undefined
      return this.#result('gap', new Map(), METADATA_KINDS, answer.problems, 0)
    }
    const effects = new Map<MetadataKind, number>()
    const dropped = this.#takeAll(answer.changes.slice(known), effects)
    this.#followed = answer.cursor
    return this.#result('applied', effects, METADATA_KINDS, answer.problems, dropped)
  }

  /** Takes over all that another member knows (rule 4.7: hand-back). Unions: nothing known here is lost (rule 5.3). */
  merge(snapshot: Snapshot): SyncResult {
    return this.#applySnapshot(snapshot, undefined)
  }

  /** The log has grown: entries that waited for its bytes count now. Cheap when nothing waits. */
  logAdvanced(): void {
    if (this.#pending.size === 0 || this.#clock.monotonic() < this.#pendingRetryAt) return
    const waiting = this.#pending.takeAll()
    try {
      this.#takeAll(waiting, new Map())
    } catch (cause) {
      // The journal has no room, and whoever moves the log on can do nothing about that. What was taken already does no harm twice.
      if (!(cause instanceof BrokerError)) throw cause
      this.#pendingRetryAt = this.#clock.monotonic() + PENDING_RETRY_MS
      this.#pending.takeAll()
      for (const change of waiting) if (!this.#pending.add(change)) this.#hasForgotten = true
    }
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

  #applySnapshot(snapshot: Snapshot, problems: Answer['problems']): SyncResult {
    const present = METADATA_KINDS.filter((kind) => snapshot[kind] !== undefined)
    const effects = new Map<MetadataKind, number>()
    let dropped = 0
    for (const kind of present) dropped += this.#takeAll(snapshot[kind] ?? [], effects)
    return this.#result('applied', effects, present, problems, dropped)
  }

  /** Applies changes from elsewhere as far as the log knows their records; returns how many entries contradict it. */
  #takeAll(changes: readonly Change[], effects: Map<MetadataKind, number>, areOwn = false): number {
    let dropped = 0
    for (const change of changes) {
      if (isOwnMatter(change) && !areOwn) continue
      const gated = gate(change, this.#log)
      dropped += gated.dropped
      if (gated.now !== undefined && this.#take(gated.now)) {
        const kind = kindOf(change)
        effects.set(kind, (effects.get(kind) ?? 0) + 1)
      }
      if (gated.later !== undefined && !this.#pending.add(gated.later)) this.#hasForgotten = true
    }
    if (dropped > 0) {
      this.#droppedCounter.add(dropped)
      this.#logger.warn({ entries: dropped }, 'progress that contradicts the lineage of the log was dropped')
    }
    return dropped
  }

  #make(change: Change): void {
    const { processEpoch, counter } = this.#feed.cursor
    this.#take(completed(change, this.#state, { processEpoch, counter: counter + 1 }))
  }

  #take(change: Change): boolean {
    this.#disk?.record(change)
    const changed = this.#state.apply(change, this.#clock.monotonic())
    if (!changed) return false
    if (!isOwnMatter(change)) this.#feed.add(change)
    this.#disk?.changed(kindOf(change))
    // A deletion voids progress as well, a cut may reach the timer queue.
    if (change.kind === 'topic-delete' || change.kind === 'group-delete') this.#disk?.changed('progress')
    if (change.kind === 'cut') this.#disk?.changed('delay')
    return true
  }

  #result(
    outcome: SyncResult['outcome'],
    effects: ReadonlyMap<MetadataKind, number>,
    present: readonly MetadataKind[],
    problems: Answer['problems'],
    dropped: number,
  ): SyncResult {
    const resultOf = (kind: MetadataKind): KindResult => {
      const why = problems?.[kind]
      const applied = effects.get(kind) ?? 0
      if (why !== undefined) return { status: 'refused', applied, why }
      return { status: outcome === 'applied' && present.includes(kind) ? 'ok' : 'missing', applied }
    }
    const kinds = {
      topics: resultOf('topics'),
      groups: resultOf('groups'),
      progress: resultOf('progress'),
      delay: resultOf('delay'),
    }
    return { outcome, kinds, dropped, pending: this.#pending.size }
  }
}

/** Nobody else knows what this broker has moved, or what its log has lost. */
function isOwnMatter({ kind }: Change): boolean {
  return kind === 'moved' || kind === 'diverged' || kind === 'unsettled'
}
