import type { Clock, Counter, Logger, Meter, Timer } from '@tandemmq/base'
import { compareCursors, type Cursor } from './cursor.ts'

/** How long a delivery waits for those who watch (rule 5.8), ms. */
const WATCHER_PATIENCE_MS = 200
/** Who was late counts again after this long, ms; twice as long each time that it is late again, up to the other. */
const PROBATION_MIN_MS = 1_000
const PROBATION_MAX_MS = 32_000
/** Lateness that lies further back is forgotten, ms. */
const FORGIVEN_MS = 60_000

/** One open watch, as its server sees it. */
export interface Watcher {
  /** The other end has applied all up to `cursor`. */
  acknowledged(cursor: Cursor): void
  /** The watch is over, for whatever reason. */
  left(): void
}

interface Watch {
  readonly identity: string
  readonly hangUp: (why: string) => void
  /** Absent before its first acknowledgement: until then it is only catching up. */
  applied: Cursor | undefined
  isReplica: boolean
  /** Those that wait for this watcher, oldest first. */
  readonly waits: Set<Wait>
}

interface Wait {
  readonly cursor: Cursor
  readonly missing: Set<Watch>
  readonly settle: (isAcknowledged: boolean) => void
}

interface Probation {
  readonly lastsMs: number
  /** When it was hung up on; monotonic, as the other time, ms. */
  readonly since: number
  readonly until: number
  /** It does not watch again yet: what is acknowledged meanwhile it does not hear of. */
  isAway: boolean
}

export interface WatchersPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/**
 * Who watches a store's changes, and how far each has acknowledged them: what a delivery of an orderly group waits for (rule 5.8). Only
 * replicas count, which could serve next: a read-only copy holds up nobody. One that is late is hung up on, so that no later delivery
 * waits for it; it comes back by itself, and counts again after a while.
 */
export class Watchers {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lateCounter: Counter
  readonly #isReplica: (identity: string) => boolean
  readonly #watches = new Set<Watch>()
  readonly #probations = new Map<string, Probation>()

  /** @param isReplica whether the member of this identity could be given the serving token */
  constructor({ clock, logger, meter }: WatchersPorts, isReplica: (identity: string) => boolean) {
    this.#clock = clock
    this.#logger = logger
    this.#lateCounter = meter.counter(
      'rocketmq_ha_late_watchers_total',
      'Times that a watching slave had not acknowledged an orderly delivery within 200 ms and was hung up on',
    )
    this.#isReplica = isReplica
  }

  /** A watch begins. `hangUp` ends it from this side. */
  join(identity: string, hangUp: (why: string) => void): Watcher {
    const watch: Watch = { identity, hangUp, applied: undefined, isReplica: false, waits: new Set() }
    this.#watches.add(watch)
    return {
      acknowledged: (cursor) => this.#acknowledged(watch, cursor),
      left: () => this.#left(watch),
    }
  }

  /** Whether anybody watches who counts. */
  get arePresent(): boolean {
    for (const watch of this.#watches) if (this.#counts(watch)) return true
    return false
  }

  /**
   * Resolves once all who count now have acknowledged everything before `cursor`, or are gone: `true`. `false` after 200 ms: those who had not
   * until then have been hung up on.
   */
  acknowledged(cursor: Cursor): Promise<boolean> {
    const missing = new Set<Watch>()
    for (const watch of this.#watches)
      if (this.#counts(watch) && !hasApplied(watch, cursor)) missing.add(watch)
    if (missing.size === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      const wait: Wait = {
        cursor,
        missing,
        settle: (isAcknowledged) => {
          timer.cancel()
          resolve(isAcknowledged)
        },
      }
      const timer: Timer = this.#clock.after(WATCHER_PATIENCE_MS, () => {
        for (const watch of wait.missing) this.#late(watch, wait)
        wait.settle(false)
      })
      for (const watch of missing) watch.waits.add(wait)
    })
  }

  #counts({ applied, isReplica, identity }: Watch): boolean {
    if (applied === undefined || !isReplica) return false
    const probation = this.#probations.get(identity)
    return probation === undefined || this.#clock.monotonic() >= probation.until
  }

  #acknowledged(watch: Watch, cursor: Cursor): void {
    if (watch.applied === undefined) this.#back(watch.identity)
    watch.applied = cursor
    watch.isReplica ||= this.#isReplica(watch.identity)
    for (const wait of watch.waits) {
      if (!hasApplied(watch, wait.cursor)) return
      watch.waits.delete(wait)
      relieve(wait, watch)
    }
  }

  #left(watch: Watch): void {
    if (!this.#watches.delete(watch)) return
    for (const wait of watch.waits) relieve(wait, watch)
    watch.waits.clear()
  }

  /** Somebody has acknowledged the first answer of a watch. */
  #back(identity: string): void {
    const probation = this.#probations.get(identity)
    if (probation?.isAway !== true) return
    probation.isAway = false
    const awayMs = Math.round(this.#clock.monotonic() - probation.since)
    this.#logger.info({ watcher: identity, awayMs }, 'a slave that was hung up on watches again')
  }

  #late(watch: Watch, wait: Wait): void {
    const { identity } = watch
    const now = this.#clock.monotonic()
    const before = this.#probations.get(identity)
    const isRecent = before !== undefined && now - before.until < FORGIVEN_MS
    const lastsMs = isRecent ? Math.min(PROBATION_MAX_MS, 2 * before.lastsMs) : PROBATION_MIN_MS
    this.#probations.set(identity, { lastsMs, since: now, until: now + lastsMs, isAway: true })
    // Whoever else waits for it goes on.
    watch.waits.delete(wait)
    this.#left(watch)
    this.#lateCounter.add()
    this.#logger.warn(
      { watcher: identity, patienceMs: WATCHER_PATIENCE_MS, countsAgainMs: lastsMs },
      'a watching slave has not acknowledged an orderly delivery in time: hung up',
    )
    watch.hangUp(`no acknowledgement within ${WATCHER_PATIENCE_MS} ms`)
  }
}

function hasApplied({ applied }: Watch, cursor: Cursor): boolean {
  return applied !== undefined && compareCursors(applied, cursor) >= 0
}

function relieve(wait: Wait, watch: Watch): void {
  if (wait.missing.delete(watch) && wait.missing.size === 0) wait.settle(true)
}
