import { messageOf, type Logger } from '@tandemmq/base'
import type { MessageStore } from '@tandemmq/storage'
import type { ReplicatedStore } from './replicated-store.ts'

/**
 * Records at the end of a log that a power cut may have torn where their checksum does not see it. Whoever can have them from another replica cuts
 * them off first: a master that fetches its tail (rule 3.2), a slave that meets its master (its own torn tail, rule 1.3). Bytes that come later are
 * not in doubt.
 */
export class DoubtfulEnd {
  #isGone: boolean
  #cutting: Promise<void> | undefined
  readonly #log: ReplicatedStore
  readonly #trustedEnd: number
  readonly #logger: Logger

  constructor({ recovery, end, lineage }: MessageStore, log: ReplicatedStore, logger: Logger) {
    // A store of Apache's does not say how much of it was synced: all of it would be in doubt.
    this.#isGone = recovery.trustedEnd >= end || lineage === undefined
    this.#log = log
    this.#trustedEnd = recovery.trustedEnd
    this.#logger = logger
  }

  /** It was cut off, or there was none. */
  get isGone(): boolean {
    return this.#isGone
  }

  /**
   * Cuts it off unless it is gone; resolves when that has ended, for all who ask meanwhile. What fails is said in the log, and the next call tries again.
   * @param isElsewhere no copy of it has to be kept
   */
  cut(isElsewhere = false): Promise<void> {
    this.#cutting ??= this.#cut(isElsewhere).finally(() => (this.#cutting = undefined))
    return this.#cutting
  }

  async #cut(isElsewhere: boolean): Promise<void> {
    if (this.#isGone) return
    try {
      await this.#log.truncateTo(this.#trustedEnd, isElsewhere)
      this.#isGone = true
    } catch (cause) {
      this.#logger.error({ why: messageOf(cause) }, 'the doubtful end of the log could not be cut off')
    }
  }
}
