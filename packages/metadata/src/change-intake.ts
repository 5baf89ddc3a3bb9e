import { BrokerError, type Clock, type Counter, type Logger, type Meter } from '@tandemmq/base'
import type { AppliedChanges } from './applied-changes.ts'
import type { Change } from './change.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { isOwnMatter } from './own-matter.ts'
import { PendingChanges } from './pending-changes.ts'
import { kindOf, type MetadataKind } from './snapshot.ts'
import { extentOf, gate } from './stamp-gate.ts'

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
  /** Of what waits, how much counted already when it was looked at last. */
  readonly #counted = new WeakMap<Change, string>()
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

  /** The log has grown: entries that waited for its bytes count now. Cheap when nothing waits. */
  logAdvanced(): void {
    if (this.#pending.size === 0 || this.#clock.monotonic() < this.#retryAt) return
    if (!this.#pending.all().some((change) => this.#hasMoved(change))) return
    const waiting = this.#pending.takeAll()
    try {
      this.#takeAll(waiting, new Map(), (change) => !this.#hasMoved(change))
      for (const change of this.#pending.all()) this.#counted.set(change, this.#extent(change))
    } catch (cause) {
      // The journal has no room, and whoever moves the log on can do nothing about that. What was taken already does no harm twice.
      if (!(cause instanceof BrokerError)) throw cause
      this.#retryAt = this.#clock.monotonic() + RETRY_MS
      this.#pending.takeAll()
      for (const change of waiting) this.#wait(change)
    }
  }

  /** More of it counts than before: only that is written down, not everything at each append. */
  #hasMoved(change: Change): boolean {
    return this.#counted.get(change) !== this.#extent(change)
  }

  #extent(change: Change): string {
    return extentOf(gate(change, this.#log))
  }

  /** `waitsOn`: of these nothing has come since they were looked at last. */
  #takeAll(
    changes: readonly Change[],
    effects: Map<MetadataKind, number>,
    waitsOn: (change: Change) => boolean = () => false,
  ): number {
    let dropped = 0
    for (const change of changes) {
      if (waitsOn(change)) {
        this.#wait(change)
        continue
      }
      const gated = gate(change, this.#log)
      dropped += gated.dropped
      if (gated.now !== undefined && this.#applied.take(gated.now)) {
        const kind = kindOf(change)
        effects.set(kind, (effects.get(kind) ?? 0) + 1)
      }
      if (gated.later !== undefined) this.#wait(gated.later)
    }
    if (dropped > 0) {
      this.#droppedCounter.add(dropped)
      this.#logger.warn({ entries: dropped }, 'progress that contradicts the lineage of the log was dropped')
    }
    return dropped
  }

  #wait(change: Change): void {
    if (!this.#pending.add(change)) this.#hasForgotten = true
  }
}
