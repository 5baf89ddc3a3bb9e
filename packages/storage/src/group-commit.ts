import { messageOf, type LogOffset, type Logger } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'

interface Request {
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** What {@link GroupCommit} needs of the log. */
export type SyncableLog = Pick<CommitLog, 'written' | 'flushed' | 'sync' | 'fenceOff' | 'fence'>

/**
 * Turns many "is my record safe?" questions into few syncs. While one sync runs, later writers queue; the next sync
 * covers all of them. There is no timer and no batch size to tune: the disk sets the pace.
 *
 * All syncs of the log go through here, one after the other: the kernel reports a failed write-back to one sync only,
 * so two at a time could let the other one promise what is lost.
 */
export class GroupCommit {
  readonly #log: SyncableLog
  readonly #logger: Logger
  readonly #observe: (tookMs: number) => void
  readonly #monotonic: () => number
  #requests: Request[] = []
  #running: Promise<void> | undefined

  constructor(
    log: SyncableLog,
    logger: Logger,
    monotonic: () => number = () => 0,
    observe: (tookMs: number) => void = () => {},
  ) {
    this.#log = log
    this.#logger = logger
    this.#monotonic = monotonic
    this.#observe = observe
  }

  /** Resolves once every byte below `upTo` is on stable storage; rejects with `LOG_FENCED` if that cannot be known. */
  commit(upTo: LogOffset): Promise<void> {
    const reached = this.#log.flushed.reached(upTo)
    if (this.#log.flushed.isAwaited) this.#running ??= this.#run()
    return reached
  }

  /** One more sync, whether or not somebody waits for bytes. */
  syncOnce(): Promise<void> {
    if (this.#log.fence !== undefined) return Promise.reject(this.#log.fence)
    const done = new Promise<void>((resolve, reject) => this.#requests.push({ resolve, reject }))
    this.#running ??= this.#run()
    return done
  }

  /** Resolves when no sync is running. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // Everybody of this turn shares the first sync too.
    while (this.#log.flushed.isAwaited || this.#requests.length > 0) {
      // Read before the sync: what is written while it runs is not covered.
      const target = this.#log.written.at
      const requests = this.#requests
      this.#requests = []
      const startedAt = this.#monotonic()
      try {
        await this.#log.sync()
      } catch (cause) {
        this.#fence(cause, requests)
        break
      }
      this.#observe(this.#monotonic() - startedAt)
      this.#log.flushed.advance(target)
      for (const request of requests) request.resolve()
    }
    this.#running = undefined
  }

  /** A failed sync is final: the kernel may have dropped the pages, and a retry would report success. */
  #fence(cause: unknown, requests: readonly Request[]): void {
    this.#logger.error(
      { why: messageOf(cause) },
      'the commit log could not be synced: it is fenced until a restart',
    )
    const reason = this.#log.fenceOff(cause)
    for (const request of [...requests, ...this.#requests.splice(0)]) request.reject(reason)
  }
}
