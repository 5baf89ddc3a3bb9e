import { messageOf, type Logger } from '@tandemmq/base'
import type { MessageStore } from '@tandemmq/storage'
import type { ReplicatedStore } from './replicated-store.ts'

/**
 * Records at the end of a log that a power cut may have torn where their checksum does not see it. Whoever can have them from another replica cuts
 * them off first: a master that fetches its tail (rule 3.2), a slave that meets its master (its own torn tail, rule 1.3). Bytes that come later are
 * not in doubt.
 */
export class DoubtfulEnd {
  /** `cut` also if there were none. */
  #state: 'kept' | 'being cut' | 'cut'
  readonly #log: ReplicatedStore
  readonly #trustedEnd: number
  readonly #logger: Logger

  constructor({ recovery, end, lineage }: MessageStore, log: ReplicatedStore, logger: Logger) {
    // A store of Apache's does not say how much of it was synced: all of it would be in doubt.
    this.#state = recovery.trustedEnd >= end || lineage === undefined ? 'cut' : 'kept'
    this.#log = log
    this.#trustedEnd = recovery.trustedEnd
    this.#logger = logger
  }

  /** Whether it is still there. Asking begins to cut it off. */
  get isThere(): boolean {
    if (this.#state === 'kept') void this.cut()
    return this.#state !== 'cut'
  }

  /** `isElsewhere`: no copy of it has to be kept. What fails is said in the log. */
  async cut(isElsewhere = false): Promise<void> {
    if (this.#state !== 'kept') return
    this.#state = 'being cut'
    try {
      await this.#log.truncateTo(this.#trustedEnd, isElsewhere)
      this.#state = 'cut'
    } catch (cause) {
      this.#logger.error({ why: messageOf(cause) }, 'the doubtful end of the log could not be cut off')
      this.#state = 'kept'
    }
  }
}
