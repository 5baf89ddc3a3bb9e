import { messageOf, type Clock, type Counter, type Logger, type Meter } from '@tandemmq/base'
import type { HandBackWay, LogClaim, MetadataStore, Snapshot } from '@tandemmq/metadata'
import type { Registration } from '@tandemmq/registry'
import { Attempts } from './attempts.ts'
import { APART_MS } from './master-reach.ts'

/** A seal without a release ends after this long: the slave asks to stay (rule 4.7). */
const SEAL_MS = 2_000
/** After a hand-back that failed, the next is not tried before this long has passed. */
const AGAIN_MS = 1_000
/** The same for the way around, doubling up to the longest: why it fails mostly lasts as long as the two do not reach each other. */
const AROUND_AGAIN_MS = 2_000
const AROUND_AGAIN_MAX_MS = 30_000

/** How what is known here gets to the master: over a connection to it, or through metadata-rpc. */
export type Route = 'straight' | 'around'

export interface HandBackParts {
  readonly registration: Pick<Registration, 'mayServe' | 'seal' | 'stay' | 'release'>
  readonly metadata: MetadataStore
  /** To the member of that name; `undefined`: there is no such way. */
  wayTo(master: string, route: Route): HandBackWay | undefined
  /** What a master that is not reached judges this broker's log by. */
  log(): Omit<LogClaim, 'givesServing'>
  /** Ends the polls that are being held and refuses new ones. */
  seal(): void
  unseal(): void
}

/** Whoever serving, or progress, goes to. */
interface Receiver {
  readonly master: string
  readonly route: Route
  readonly way: HandBackWay
}

/**
 * Gives the serving token back to a master that has returned (rule 4.7): seal, send all that is known, and only when the master has it
 * on disk, release the token to it by name. If that fails the slave goes on serving under a new epoch.
 *
 * On the way around, and after a failure, what is known is offered before anything is sealed: a master that takes progress but not serving says so then, and
 * one that does not answer costs no consumer anything.
 */
export class HandBack {
  readonly #parts: HandBackParts
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #results: Counter
  readonly #attempts: Readonly<Record<Route, Attempts>>
  #isUnderWay = false
  #isSealed = false
  /** This slave, or an earlier process of it, may have served and not handed back since. */
  #owes = true

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
    this.#attempts = {
      straight: new Attempts(clock, AGAIN_MS, AGAIN_MS),
      around: new Attempts(clock, AROUND_AGAIN_MS, AROUND_AGAIN_MAX_MS),
    }
  }

  /** Nobody is served here until it is known whether the master has it all. */
  get isSealed(): boolean {
    return this.#isSealed
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
  tell(master: string, route: Route): void {
    if (this.#owes) void this.#attempt(master, route, (to) => this.#tell(to), tellingFailed)
  }

  /**
   * Begins unless one is under way or has just failed. `master` is the identity that gets the token; `done` is called however it ends, or if it does
   * not begin.
   */
  begin(master: string, route: Route, done: () => void = () => undefined): void {
    void this.#attempt(master, route, (to) => this.#run(to), handingBackFailed).finally(done)
  }

  async #attempt(
    master: string,
    route: Route,
    work: (to: Receiver) => Promise<void>,
    complaint: string,
  ): Promise<void> {
    const to = this.#receiver(master, route)
    if (to === undefined || this.#isUnderWay) return
    this.#isUnderWay = true
    try {
      await work(to)
      // Whatever failed before, they have found to each other since.
      for (const attempts of Object.values(this.#attempts)) attempts.reset()
    } catch (cause) {
      const why = messageOf(cause)
      const level = this.#attempts[to.route].failed(why) ? 'warn' : 'debug'
      this.#logger[level]({ master, route: to.route, why }, complaint)
    }
    this.#isUnderWay = false
  }

  /** `undefined`: there is no way, or none that did not fail just now. A connection over which nothing gets through is not the only way either. */
  #receiver(master: string, wanted: Route): Receiver | undefined {
    const failingForMs = this.#attempts[wanted].failingForMs ?? 0
    const isStuck = wanted === 'straight' && failingForMs >= APART_MS
    const routes: readonly Route[] = isStuck ? ['around', wanted] : [wanted]
    for (const route of routes) {
      const way = this.#attempts[route].mayTry ? this.#parts.wayTo(master, route) : undefined
      if (way !== undefined) return { master, route, way }
    }
    return undefined
  }

  async #run(to: Receiver): Promise<void> {
    const { registration, metadata } = this.#parts
    const { master, route } = to
    if (route === 'around' || this.#attempts[route].failingForMs !== undefined) {
      await this.#offer(to)
      if (!registration.mayServe()) return
    }
    const began = this.#clock.monotonic()
    this.#isSealed = true
    registration.seal()
    this.#parts.seal()
    try {
      await this.#send(to, metadata.snapshot(), true)
      registration.release(master)
      this.#owes = false
      this.#results.add(1, { result: 'done' })
      const tookMs = Math.round(this.#clock.monotonic() - began)
      this.#logger.info({ master, route, tookMs }, 'handed serving back to the master')
    } catch (cause) {
      registration.stay()
      this.#results.add(1, { result: 'failed' })
      throw cause
    } finally {
      this.#parts.unseal()
      this.#isSealed = false
    }
  }

  async #offer(to: Receiver): Promise<void> {
    try {
      await this.#send(to, this.#progress(), true)
    } catch (cause) {
      this.#results.add(1, { result: 'refused' })
      throw cause
    }
  }

  async #tell(to: Receiver): Promise<void> {
    const { master, route } = to
    this.#owes = false
    try {
      await this.#send(to, this.#progress(), false)
      this.#logger.info({ master, route }, 'told the master what is known here of progress')
    } catch (cause) {
      this.#owes = true
      throw cause
    }
  }

  /** Topics and groups come from the master alone. */
  #progress(): Snapshot {
    const { progress = [], delay = [] } = this.#parts.metadata.snapshot()
    return { progress, delay }
  }

  #send({ route, way }: Receiver, snapshot: Snapshot, givesServing: boolean): Promise<void> {
    // Whom it is connected to has compared the logs already.
    const claim = route === 'straight' ? undefined : { ...this.#parts.log(), givesServing }
    return this.#inTime((signal) => way.handBack(snapshot, signal, claim))
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

const handingBackFailed = 'the master did not take serving back: this slave goes on'
const tellingFailed = 'the master could not be told what is known here of progress; trying again'
