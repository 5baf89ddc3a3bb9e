import { messageOf, type Logger } from '@tandemmq/base'
import type { MessageStore } from '@tandemmq/storage'

/** More replicas than this a slave does not remember: its master, which tells them, has at most 64 at a time. */
const ROSTER_MAX = 256
/** As many may be told to be forgotten. */
const NEWS_MAX = 2 * ROSTER_MAX

/**
 * What a slave learns from its master of who has, or had, the log (rule 3.3), on disk: if it is made master and loses its tail, it knows whom to ask.
 * What its master does not name is kept: a master that has lost its disk knows less. What cannot be written is told again in the next connection.
 */
export class LearnedRoster {
  readonly #store: Pick<MessageStore, 'roster' | 'addToRoster' | 'removeFromRoster'>
  readonly #identity: string
  readonly #logger: Logger
  /** What is still to be written, by name: to be added, or removed. A master that goes on telling cannot make it grow. */
  readonly #news = new Map<string, 'add' | 'remove'>()
  #isWriting = false
  #isFullSaid = false

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
    for (const name of names) if (name !== this.#identity) this.#note(name, 'add')
  }

  /** By the operator's word they are gone for good. */
  forget(names: readonly string[]): void {
    for (const name of names) if (name !== this.#identity) this.#note(name, 'remove')
  }

  #note(name: string, what: 'add' | 'remove'): void {
    if (this.#news.size >= NEWS_MAX && !this.#news.has(name)) return this.#sayFull(name)
    this.#news.delete(name)
    this.#news.set(name, what)
    if (!this.#isWriting) void this.#write()
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    try {
      for (const [name, what] of this.#news) {
        this.#news.delete(name)
        if (what === 'remove') await this.#store.removeFromRoster(name)
        else await this.#add(name)
      }
    } catch (cause) {
      this.#news.clear() // Told again in the next connection.
      this.#logger.warn({ why: messageOf(cause) }, 'which replicas the master has cannot be kept')
    }
    this.#isWriting = false
  }

  async #add(name: string): Promise<void> {
    const { roster } = this.#store
    if (roster.length < ROSTER_MAX || roster.includes(name)) return this.#store.addToRoster(name)
    this.#sayFull(name)
  }

  #sayFull(name: string): void {
    if (this.#isFullSaid) return
    this.#isFullSaid = true
    this.#logger.warn({ name, known: ROSTER_MAX }, 'the master has more replicas than can be remembered')
  }
}
