import { BrokerError } from '@tandemmq/base'
import type { Appender } from './appender.ts'

/**
 * Who may append to a log: this process messages of its own, once it has opened an epoch, or otherwise a master's bytes; never both (rule 1.2). While it is
 * suspended nobody may, and once it is over nobody does again.
 */
export class WritingRight {
  #appender: Appender | undefined
  /** Why nothing can be appended at the moment. */
  #suspended: BrokerError | undefined

  /** Messages of this process can be appended. */
  get isOwn(): boolean {
    return this.#appender !== undefined && this.#suspended === undefined
  }

  get isSuspended(): boolean {
    return this.#suspended !== undefined
  }

  /** This process has opened an epoch. */
  take(appender: Appender): void {
    this.#appender = appender
  }

  /** Only a master's bytes are appended from here on. */
  giveUp(): void {
    this.#appender = undefined
  }

  suspend(why: BrokerError): void {
    this.#suspended = why
  }

  resume(): void {
    this.#suspended = undefined
  }

  /** For messages of this process. Throws `NOT_WRITABLE`, or why it is suspended. */
  writer(): Appender {
    this.demandOpen()
    if (this.#appender !== undefined) return this.#appender
    throw new BrokerError(
      'NOT_WRITABLE',
      'no epoch was opened since the start: this process is not the writer',
    )
  }

  /** For a master's bytes. Throws as {@link writer}. */
  demandCopier(): void {
    this.demandOpen()
    if (this.#appender === undefined) return
    throw new BrokerError('NOT_WRITABLE', 'this process writes messages of its own')
  }

  /** Throws why it is suspended. */
  demandOpen(): void {
    if (this.#suspended !== undefined) throw this.#suspended
  }
}
