import { messageOf, type Logger } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'
import type { GroupCommit } from './group-commit.ts'

/** Zeros written in one turn: a memory copy of this size is not felt. */
const STEP_BYTES = 256 * 1024

/**
 * Keeps real, synced zeros a few MiB ahead of the writer, so that a sync of records has nothing to allocate. Works in
 * small steps between other work, woken by appends.
 */
export class ZeroAhead {
  readonly #log: CommitLog
  readonly #groupCommit: GroupCommit
  readonly #logger: Logger
  readonly #aheadBytes: number
  readonly #stepBytes: number
  #running = false
  #stopped = false

  /** `aheadBytes` 0: no zeros are written, segments stay sparse until they are used. */
  constructor(log: CommitLog, groupCommit: GroupCommit, logger: Logger, aheadBytes: number) {
    this.#log = log
    this.#groupCommit = groupCommit
    this.#logger = logger
    this.#aheadBytes = aheadBytes
    this.#stepBytes = Math.min(STEP_BYTES, Math.ceil(aheadBytes / 4))
  }

  /** Called after every append. */
  wake(): void {
    if (this.#running || this.#stopped || this.#aheadBytes === 0) return
    // Half is enough before it pays to start again.
    if (this.#log.zeroedTo - this.#log.written.at > this.#aheadBytes / 2) return
    this.#running = true
    void this.#run()
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && this.#log.writeZeros(this.#stepBytes, this.#aheadBytes)) {
        await this.#groupCommit.syncOnce()
      }
    } catch (failure) {
      // A full disk shows up at the next append, a failed one has fenced the log: here there is nobody to tell.
      this.#stopped = true
      this.#logger.warn({ why: messageOf(failure) }, 'no zeros are written ahead of the commit log any more')
    }
    this.#running = false
  }
}
