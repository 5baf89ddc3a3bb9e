import { BrokerError, type LogOffset } from '@tandemmq/base'
import { saveDiverged } from './diverged.ts'
import { insist } from './insist.ts'
import { positionCutAt } from './position-file.ts'
import { StoreSession, type SessionContext } from './store-session.ts'
import type { WritingRight } from './writing-right.ts'

/**
 * A cut of the log under an open store: ends its session and begins another at the cut. Until what it removes is saved nothing has happened; from then on
 * it ends, and a crash in between is finished by the next start.
 */
export class SessionCut {
  readonly #context: SessionContext
  readonly #session: StoreSession
  readonly #offset: LogOffset
  readonly #writing: WritingRight
  readonly #isOver: () => boolean

  /** @param isOver the store was closed: nothing is waited for any more */
  constructor(
    context: SessionContext,
    session: StoreSession,
    offset: LogOffset,
    writing: WritingRight,
    isOver: () => boolean,
  ) {
    this.#context = context
    this.#session = session
    this.#offset = offset
    this.#writing = writing
    this.#isOver = isOver
  }

  /**
   * Resolves to the session that has taken the old one's place; whoever waited in that is told `LOG_CLOSED`. Writing is given up, and suspended until
   * the caller resumes it in the new session, unless the bytes cannot be saved; `isCommon`: they need not be. From then on it does not fail for want of room: it waits for it.
   */
  async run(isCommon: boolean): Promise<StoreSession> {
    const { ports } = this.#context
    const offset = this.#offset
    const closed = new BrokerError('LOG_CLOSED', `the log is being cut at ${offset}`, { facts: { offset } })
    this.#writing.suspend(closed)
    const saved = isCommon ? 'nowhere: a replica has, or had, them all' : await this.#save()
    this.#writing.giveUp()
    ports.logger.warn(
      { offset, end: this.#session.log.written.at, saved },
      'cutting the commit log; where the bytes were saved is in saved',
    )
    return this.#carryOut(closed)
  }

  /** Saves what is cut off under `diverged/`; resolves to where. */
  async #save(): Promise<string> {
    const { ports, options } = this.#context
    const { log } = this.#session
    try {
      const { files, clock } = ports
      return await saveDiverged(files, options.root, log, this.#offset, log.written.at, clock.now())
    } catch (failure) {
      this.#writing.resume()
      throw failure
    }
  }

  async #carryOut(closed: BrokerError): Promise<StoreSession> {
    const { position } = this.#context
    const { bookkeeping, log } = this.#session
    await bookkeeping.stop()
    const start = log.segmentStart(this.#offset)
    const cut = positionCutAt(position.value, this.#offset, log.minOffset, start)
    await this.#insist(() => position.save(cut))
    await this.#session.end(closed)
    const next = await this.#insist(() => StoreSession.open(this.#context, 'current'))
    await this.#insist(() => position.save({}))
    return next
  }

  #insist<T>(attempt: () => Promise<T>): Promise<T> {
    return insist('a cut of the commit log', attempt, this.#context.ports, this.#isOver)
  }
}
