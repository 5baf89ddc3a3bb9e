import { messageOf, type Logger } from '@tandemmq/base'
import type { MessageStore } from '@tandemmq/storage'
import type { ReplicatedStore } from './replicated-store.ts'

/**
 * Records at the end of a master's log that a power cut may have torn where their checksum does not see it: what a replica holds of them is
 * fetched from there, so they are cut off first. Bytes that are fetched later are not in doubt.
 */
export class DoubtfulEnd {
  /** `cut` also if there were none. */
  #state: 'kept' | 'being cut' | 'cut'
  readonly #log: ReplicatedStore
  readonly #trustedEnd: number
  readonly #logger: Logger

  constructor({ recovery, end }: MessageStore, log: ReplicatedStore, logger: Logger) {
    this.#state = recovery.trustedEnd >= end ? 'cut' : 'kept'
    this.#log = log
    this.#trustedEnd = recovery.trustedEnd
    this.#logger = logger
  }

  /** Whether it is still there. Asking begins to cut it off. */
  get isThere(): boolean {
    if (this.#state === 'kept') void this.#cut()
    return this.#state !== 'cut'
  }

  async #cut(): Promise<void> {
    this.#state = 'being cut'
    try {
      await this.#log.truncateTo(this.#trustedEnd)
      this.#state = 'cut'
    } catch (cause) {
      this.#logger.error({ why: messageOf(cause) }, 'the doubtful end of the log could not be cut off')
      this.#state = 'kept'
    }
  }
}
