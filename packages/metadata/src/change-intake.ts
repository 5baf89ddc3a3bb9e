import { BrokerError, type Clock, type Counter, type Logger, type Meter } from '@tandemmq/base'
import type { AppliedChanges } from './applied-changes.ts'
import type { Change } from './change.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { isOwnMatter } from './own-matter.ts'
import { PendingChanges } from './pending-changes.ts'
import { kindOf, type MetadataKind } from './snapshot.ts'
import { gate, type Waiting } from './stamp-gate.ts'

/** After entries that waited for the log could not be written down. */
const RETRY_MS = 1_000

export interface ChangeIntakePorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly log: LogKnowledge
}

/** Changes that were not made here and now: they count as far as the log knows the records that they are about (rule 5.2), and wait for bytes that come. */
export class ChangeIntake {
  readonly #applied: AppliedChanges
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #log: LogKnowledge
  readonly #pending: PendingChanges
  readonly #droppedCounter: Counter
  #hasForgotten = false
  #retryAt = 0

  constructor(applied: AppliedChanges, pendingMax: number, ports: ChangeIntakePorts) {
    this.#applied = applied
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#log = ports.log
    this.#pending = new PendingChanges(pendingMax)
    this.#droppedCounter = ports.meter.counter(
      'rocketmq_ha_progress_dropped_total',
      'Entries of progress that contradict the lineage of the log',
    )
  }

  /** Entries that wait for bytes of the log. */
  get pending(): number {
    return this.#pending.size
  }

  /** The changes that wait. */
  waiting(): readonly Change[] {
    return this.#pending.all()
  }

  /** Something had to be forgotten for want of room: everything is to be asked for once the log has caught up. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  /** Everything comes again. */
  begin(): void {
    this.#hasForgotten = false
  }

  /** From another broker. Returns how many entries contradict the log; counts those that had an effect in `effects`. */
  take(changes: readonly Change[], effects: Map<MetadataKind, number>): number {
    return this.#takeAll(
      changes.filter((change) => !isOwnMatter(change)),
      effects,
    )
  }

  /** From this broker's own journal. */
  replay(change: Change): void {
    this.#takeAll([change], new Map())
  }

  /** The log has grown: entries that waited for its bytes count now. Cheap for those that go on waiting. */
  logAdvanced(): void {
    this.#count(({ until }) => this.#log.knowsStamp(until) !== 'later')
  }

  /** The log may not grow any more for now: of whatever waits, what is about the records that are here counts. */
  countHeld(): void {
    this.#count(() => true)
  }

  #count(isDue: (waiting: Waiting) => boolean): void {
    if (this.#pending.size === 0 || this.#clock.monotonic() < this.#retryAt) return
    const due = this.#pending.take(isDue)
    let [done, dropped] = [0, 0]
    try {
      for (const { change } of due) {
        dropped += this.#takeOne(change, new Map())
        done += 1
      }
    } catch (cause) {
      // The journal has no room, and whoever moves the log on can do nothing about that.
      if (!(cause instanceof BrokerError)) throw cause
      this.#retryAt = this.#clock.monotonic() + RETRY_MS
      for (const waiting of due.slice(done)) this.#wait(waiting)
    }
    this.#tellDropped(dropped)
  }

  #takeAll(changes: readonly Change[], effects: Map<MetadataKind, number>): number {
    let dropped = 0
    for (const change of changes) dropped += this.#takeOne(change, effects)
    this.#tellDropped(dropped)
    return dropped
  }

  /** Returns how many entries contradict the log. */
  #takeOne(change: Change, effects: Map<MetadataKind, number>): number {
    const { now, later, dropped } = gate(change, this.#log)
    if (now !== undefined && this.#applied.take(now)) {
      const kind = kindOf(change)
      effects.set(kind, (effects.get(kind) ?? 0) + 1)
    }
    if (later !== undefined) this.#wait(later)
    return dropped
  }

  #tellDropped(entries: number): void {
    if (entries === 0) return
    this.#droppedCounter.add(entries)
    this.#logger.warn({ entries }, 'progress that contradicts the lineage of the log was dropped')
  }

  #wait(waiting: Waiting): void {
    if (!this.#pending.add(waiting)) this.#hasForgotten = true
  }
}
