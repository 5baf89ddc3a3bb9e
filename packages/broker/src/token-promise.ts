import { messageOf, replaceStateFile, type Files, type Logger } from '@tandemmq/base'
import type { Registration } from '@tandemmq/registry'

/** What the file says does not matter: it is there from before the first promise until none binds any more. */
const WORDS = 'TandemMQ token promise 1: this broker may have promised to take no serving token.\n'

/**
 * A slave's promise to take no serving token (rule 4.6), across its processes: that one was given is on disk before it is given, so that the
 * next process waits until it is over.
 */
export class TokenPromise {
  readonly #registration: Registration
  readonly #files: Files
  readonly #path: string
  readonly #logger: Logger
  #file: 'absent' | 'being written' | 'on disk'

  constructor(
    registration: Registration,
    root: string,
    ports: { readonly files: Files; readonly logger: Logger },
  ) {
    this.#registration = registration
    this.#files = ports.files
    this.#logger = ports.logger
    this.#path = `${root}/token-promise`
    this.#file = this.#files.exists(this.#path) ? 'on disk' : 'absent'
    if (this.#file === 'on disk') registration.keepEarlierPromise()
  }

  /** Whether it is given now. The first time it is not: it has to be written down before. */
  give(): boolean {
    if (!this.#registration.isAway) return false
    if (this.#file === 'on disk') return this.#registration.abstain()
    if (this.#file === 'absent') void this.#write()
    return false
  }

  /** The registry has answered: once no promise binds any more, nothing is kept. */
  heard(): void {
    if (this.#file !== 'on disk' || this.#registration.isAbstaining) return
    this.#files.remove(this.#path)
    this.#file = 'absent'
  }

  async #write(): Promise<void> {
    this.#file = 'being written'
    try {
      await replaceStateFile(this.#files, this.#path, Buffer.from(WORDS))
      this.#file = 'on disk'
    } catch (cause) {
      this.#file = 'absent'
      this.#logger.warn(
        { path: this.#path, why: messageOf(cause) },
        'no promise is given to the master: it cannot be written down',
      )
    }
  }
}
