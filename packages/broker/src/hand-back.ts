import { messageOf, type Clock, type Counter, type Logger, type Meter } from '@tandemmq/base'
import type { MetadataSource, MetadataStore } from '@tandemmq/metadata'
import type { Registration } from '@tandemmq/registry'

/** A seal without a release ends after this long: the slave asks to stay (rule 4.7). */
const SEAL_MS = 2_000
/** After a hand-back that failed, the next is not tried before this long has passed. */
const AGAIN_MS = 1_000

export interface HandBackParts {
  readonly registration: Registration
  readonly metadata: MetadataStore
  readonly source: MetadataSource
  /** Ends the polls that are being held and refuses new ones. */
  seal(): void
  unseal(): void
}

/**
 * Gives the serving token back to a master that has returned (rule 4.7): seal, send all that is known, and only when the master has it
 * on disk, release the token to it by name. If that fails the slave goes on serving under a new epoch.
 */
export class HandBack {
  readonly #parts: HandBackParts
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #results: Counter
  #isRunning = false
  #isTelling = false
  /** This slave, or an earlier process of it, may have served and not handed back since. */
  #owes = true
  #notBefore = 0

  constructor(
    parts: HandBackParts,
    { clock, logger, meter }: { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
  ) {
    this.#parts = parts
    this.#results = meter.counter(
      'rocketmq_ha_hand_backs_total',
      'Attempts of this slave to give serving back to its master, by result.',
      ['result'],
    )
    this.#clock = clock
    this.#logger = logger
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** It has got the token: what it takes from now on only it knows. */
  served(): void {
    this.#owes = true
  }

  /** The master may not know all that was taken here. */
  get owes(): boolean {
    return this.#owes
  }

  /**
   * Tells a master that serves already what was taken here: this slave's lease was over, the registry began anew, or its process ended before it
   * could hand back. Without this the master would deliver again what was acknowledged here, for as long as this slave does not serve again.
   */
  tell(master: string): void {
    if (!this.#owes || this.#isRunning || this.#isTelling || this.#clock.monotonic() < this.#notBefore) return
    this.#isTelling = true
    this.#owes = false
    void this.#tell(master).finally(() => {
      this.#isTelling = false
    })
  }

  /** Begins unless one is running or has just failed. `master` is the identity that gets the token; `done` is called however it ends. */
  begin(master: string, done: () => void = () => undefined): void {
    if (this.#isRunning || this.#clock.monotonic() < this.#notBefore) return
    this.#isRunning = true
    void this.#run(master).finally(() => {
      this.#isRunning = false
      done()
    })
  }

  async #run(master: string): Promise<void> {
    const { registration, metadata, source } = this.#parts
    const began = this.#clock.monotonic()
    registration.seal()
    this.#parts.seal()
    try {
      await this.#inTime((signal) => source.handBack(metadata.snapshot(), signal))
      registration.release(master)
      this.#owes = false
      this.#parts.unseal()
      this.#results.add(1, { result: 'done' })
      this.#logger.info(
        { master, tookMs: Math.round(this.#clock.monotonic() - began) },
        'handed serving back to the master',
      )
    } catch (cause) {
      this.#notBefore = this.#clock.monotonic() + AGAIN_MS
      registration.stay()
      this.#parts.unseal()
      this.#results.add(1, { result: 'failed' })
      this.#logger.warn(
        { master, why: messageOf(cause) },
        'the master did not take serving back: this slave goes on',
      )
    }
  }

  async #tell(master: string): Promise<void> {
    const { metadata, source } = this.#parts
    try {
      // Topics and groups come from the master alone.
      const { progress = [], delay = [] } = metadata.snapshot()
      await this.#inTime((signal) => source.handBack({ progress, delay }, signal))
      this.#logger.info({ master }, 'told the master what is known here of progress')
    } catch (cause) {
      this.#owes = true
      this.#notBefore = this.#clock.monotonic() + AGAIN_MS
      this.#logger.warn(
        { master, why: messageOf(cause) },
        'the master could not be told what is known here of progress; trying again',
      )
    }
  }

  async #inTime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const patience = new AbortController()
    const late = new Promise<never>((_resolve, reject) => {
      patience.signal.addEventListener('abort', () => reject(patience.signal.reason), { once: true })
    })
    const timer = this.#clock.after(SEAL_MS, () =>
      patience.abort(new Error(`no answer within ${SEAL_MS} ms`)),
    )
    try {
      await Promise.race([work(patience.signal), late])
    } finally {
      timer.cancel()
    }
  }
}
