import type { Clock, Timer } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'
import type { GroupCommit } from './group-commit.ts'

/** Flushes what nobody waits for, some time after the first unflushed byte. An idle log has no timer. */
export class BackgroundFlush {
  readonly #log: CommitLog
  readonly #groupCommit: GroupCommit
  readonly #clock: Clock
  readonly #intervalMs: number
  #timer: Timer | undefined
  #stopped = false

  constructor(log: CommitLog, groupCommit: GroupCommit, clock: Clock, intervalMs: number) {
    this.#log = log
    this.#groupCommit = groupCommit
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /** Called after every append. */
  wake(): void {
    if (this.#timer !== undefined || this.#stopped) return
    this.#timer = this.#clock.after(this.#intervalMs, () => void this.#flush())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #flush(): Promise<void> {
    await Promise.allSettled([this.#groupCommit.commit(this.#log.written.at)]) // A failure has fenced the log.
    this.#timer = undefined
    if (this.#log.fence === undefined && this.#log.written.at > this.#log.flushed.at) this.wake()
  }
}
