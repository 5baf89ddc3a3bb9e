import { BrokerError, type Clock, type Frontier, type LogOffset } from '@tandemmq/base'
import { leastInSync, waitsForReplicas, type DurabilityMode } from './durability-mode.ts'
import { ReplicaWaits, type ReplicaWaitEnd } from './replica-waits.ts'

/** How a stored message turned out: as safe as promised, or stored but not known to be. */
export type Confirmation = ReplicaWaitEnd | 'FLUSH_DISK_TIMEOUT'

export interface DurabilityOptions {
  readonly mode: DurabilityMode
  /** How long a send waits for its fdatasync, ms (`syncFlushTimeout`). */
  readonly flushTimeoutMs: number
  /** How long a send waits for its replicas, ms (`slaveTimeout`). */
  readonly replicaTimeoutMs: number
}

/** The two things a send may wait for. */
export interface DurabilitySources {
  /** Group commit of the own log. */
  flush(upTo: LogOffset): Promise<void>
  /** The position that enough identities hold; own end where nobody is waited for. */
  readonly replicated: Frontier
  /** Replicas that could acknowledge right now, master included (rule 2.8). */
  knownReplicas(): number
  /** The first send since there were enough is refused for want of replicas, `why` in words; or the first one is taken again. */
  refusing(why: string | undefined): void
}

/** A caller that gives up gets its answer this much earlier. */
const ANSWER_MARGIN_MS = 300
const alreadyReplicated = Promise.resolve<ReplicaWaitEnd>('OK')

/**
 * The guarantee behind OK. After an append two tasks start in the same turn and each completes a promise: the flush (group
 * commit) and the replication (the position that enough replicas reported). OK is said only when both are true.
 */
export class Durability {
  readonly #options: DurabilityOptions
  readonly #sources: DurabilitySources
  readonly #clock: Clock
  /** Absent: the mode waits for nobody. */
  readonly #replicaWaits: ReplicaWaits | undefined
  #isRefusing = false

  constructor(options: DurabilityOptions, sources: DurabilitySources, clock: Clock) {
    this.#options = options
    this.#sources = sources
    this.#clock = clock
    if (waitsForReplicas(options.mode)) this.#replicaWaits = new ReplicaWaits(sources.replicated, clock)
  }

  get mode(): DurabilityMode {
    return this.#options.mode
  }

  /** In words, that the mode waits for more replicas than could acknowledge now; `undefined`: there are enough. */
  shortage(): string | undefined {
    const { mode } = this.#options
    if (!waitsForReplicas(mode)) return undefined
    const known = this.#sources.knownReplicas()
    const least = leastInSync(mode)
    if (known >= least) return undefined
    const key = mode.leastInSyncReplicas === undefined ? 'inSyncReplicas' : 'minInSyncReplicas'
    return `${key}=${least}, but only ${known} (master included) can acknowledge now`
  }

  /** {@link shortage}, and what an operator can do about it: what is confirmed stays readable meanwhile (rule 6.3). */
  shortageAndWayOut(): string | undefined {
    const shortage = this.shortage()
    return (
      shortage && `${shortage}: start the slaves that are missing, add one, or start this master with fewer`
    )
  }

  /** Refuses before anything is stored when too few replicas are there (rule 6.2): throws `IN_SYNC_REPLICAS_NOT_ENOUGH`. */
  admit(): void {
    const shortage = this.shortage()
    if ((shortage !== undefined) !== this.#isRefusing) {
      this.#isRefusing = shortage !== undefined
      this.#sources.refusing(this.shortageAndWayOut())
    }
    if (shortage === undefined) return
    throw new BrokerError('IN_SYNC_REPLICAS_NOT_ENOUGH', `nothing was stored: ${shortage}`, {
      facts: { known: this.#sources.knownReplicas(), needed: leastInSync(this.#options.mode) },
    })
  }

  /**
   * Waits until everything below `end` is as safe as the mode promises. Never rejects for lateness; rejects with `LOG_FENCED`
   * when the log failed.
   * @param deadline when the caller gives up, monotonic ms
   */
  confirmed(end: LogOffset, deadline?: number): Promise<Confirmation> {
    const { mode, flushTimeoutMs, replicaTimeoutMs } = this.#options
    const now = this.#clock.monotonic()
    const until = deadline === undefined ? Infinity : deadline - ANSWER_MARGIN_MS
    // Every send comes here: no more promises than are waited for.
    const replicating =
      this.#replicaWaits?.reached(end, Math.min(now + replicaTimeoutMs, until)) ?? alreadyReplicated
    if (mode.flush !== 'sync') return replicating
    const limitMs = Math.min(now + flushTimeoutMs, until) - now
    return this.#both(replicating, this.#within(this.#sources.flush(end), limitMs))
  }

  async #both(replicating: Promise<ReplicaWaitEnd>, flushing: Promise<boolean>): Promise<Confirmation> {
    const [replicated, flushed] = await Promise.all([replicating, flushing])
    if (replicated !== 'OK') return replicated
    return flushed ? 'OK' : 'FLUSH_DISK_TIMEOUT'
  }

  async #within(done: Promise<void>, limitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(Math.max(0, limitMs), () => resolve(false))
      done.then(
        () => {
          timer.cancel()
          resolve(true)
        },
        (reason: unknown) => {
          timer.cancel()
          reject(reason)
        },
      )
    })
  }
}
