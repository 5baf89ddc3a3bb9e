import { messageOf, type Logger } from '@tandemmq/base'
import type { MessageStore } from '@tandemmq/storage'

/** More replicas than this a slave does not remember: its master, which tells them, has at most 64 at a time. */
const ROSTER_MAX = 256

/**
 * What a slave learns from its master of who has, or had, the log (rule 3.3), on disk: if it is made master and loses its tail, it knows whom to ask.
 * What its master does not name is kept: a master that has lost its disk knows less. What cannot be written is told again in the next connection.
 */
export class LearnedRoster {
  readonly #store: Pick<MessageStore, 'roster' | 'addToRoster' | 'removeFromRoster'>
  readonly #identity: string
  readonly #logger: Logger
  #last: Promise<void> = Promise.resolve()

  /** @param identity of this slave */
  constructor(
    store: Pick<MessageStore, 'roster' | 'addToRoster' | 'removeFromRoster'>,
    identity: string,
    logger: Logger,
  ) {
    this.#store = store
    this.#identity = identity
    this.#logger = logger
  }

  learn(names: readonly string[]): void {
    this.#inTurn(async () => {
      for (const name of names) if (name !== this.#identity) await this.#add(name)
    })
  }

  /** By the operator's word it is gone for good. */
  forget(name: string): void {
    this.#inTurn(() => this.#store.removeFromRoster(name))
  }

  async #add(name: string): Promise<void> {
    const { roster } = this.#store
    if (roster.length < ROSTER_MAX || roster.includes(name)) return this.#store.addToRoster(name)
    this.#logger.warn({ name, known: ROSTER_MAX }, 'the master has one replica more than can be remembered')
  }

  #inTurn(task: () => Promise<void>): void {
    this.#last = this.#last.then(task).catch((cause: unknown) => {
      this.#logger.warn({ why: messageOf(cause) }, 'which replicas the master has cannot be kept')
    })
  }
}
