import { type BrokerError, type LogOffset } from '@tandemmq/base'
import { saveDiverged } from './diverged.ts'
import { insist } from './insist.ts'
import { positionCutAt } from './position-file.ts'
import { StoreSession, type SessionContext } from './store-session.ts'

/**
 * A cut of the log under an open store: ends its session and begins another at the cut. Until {@link save} has resolved nothing has happened; from then on
 * it ends, and a crash in between is finished by the next start.
 */
export class SessionCut {
  readonly #context: SessionContext
  readonly #session: StoreSession
  readonly #offset: LogOffset
  readonly #isOver: () => boolean

  /** @param isOver the store was closed: nothing is waited for any more */
  constructor(context: SessionContext, session: StoreSession, offset: LogOffset, isOver: () => boolean) {
    this.#context = context
    this.#session = session
    this.#offset = offset
    this.#isOver = isOver
  }

  /** Saves what is cut off under `diverged/`; resolves to where. */
  save(): Promise<string> {
    const { ports, options } = this.#context
    const { log } = this.#session
    return saveDiverged(ports.files, options.root, log, this.#offset, log.written.at, ports.clock.now())
  }

  /** Resolves to the session that has taken the old one's place; whoever waited in that is told `closed`. Does not fail for want of room: waits for it. */
  async carryOut(closed: BrokerError): Promise<StoreSession> {
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
