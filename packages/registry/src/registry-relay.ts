import { messageOf, BrokerError, type Clock, type Logger, type Random, type Timer } from '@tandemmq/base'
import { FollowedSets } from './followed-sets.ts'
import type { RelayAnswer, RelayHello, RelayLink, RelaySession } from './relay-link.ts'
import { retryPauseMs } from './retry-pause.ts'
import type { MemberReport, ServingView, SetServing } from './serving-view.ts'

export interface RegistryRelayPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const STATUS_INTERVAL_MS = 500
/** A session on which this many statuses in a row went out and nothing was answered is given up. */
const UNANSWERED_MAX = 6
const RETRY_MAX_MS = 500
/** So many attempts (about 4 s) fail in silence: an ordinary restart takes no longer. */
const QUIET_FAILURES = 10

/**
 * Follows the registry of the grantor and shows it to the gateway beside it (rule 4.8). It grants nothing. While the grantor is away it goes on
 * with what it heard last, and comes back by itself.
 */
export class RegistryRelay {
  readonly #ports: RegistryRelayPorts
  readonly #link: RelayLink
  readonly #hello: RelayHello
  readonly #sets = new FollowedSets()
  readonly #listeners = new Set<(changed: SetServing) => void>()
  /** What listeners were last told, by set. */
  readonly #told = new Map<string, string>()
  readonly #heard = Promise.withResolvers<void>()
  #session: RelaySession | undefined
  /** Answers of sessions that are over mean nothing. */
  #generation = 0
  #sequence = 0
  #unanswered = 0
  #failures = 0
  #trouble: BrokerError | undefined = new BrokerError('UNAVAILABLE', 'it has not answered yet')
  #toldTrouble = ''
  #timer: Timer | undefined
  #leaseTimer: Timer | undefined
  #isClosed = false

  private constructor(hello: RelayHello, ports: RegistryRelayPorts, link: RelayLink) {
    this.#hello = hello
    this.#ports = ports
    this.#link = link
  }

  static start(hello: RelayHello, ports: RegistryRelayPorts, link: RelayLink): RegistryRelay {
    const relay = new RegistryRelay(hello, ports, link)
    relay.#open()
    return relay
  }

  /** Resolves when the grantor has been heard for the first time. */
  get heard(): Promise<void> {
    return this.#heard.promise
  }

  /** Why the grantor is not heard now. */
  get trouble(): BrokerError | undefined {
    return this.#trouble
  }

  /** Who serves and who is writable, per set. */
  get view(): ServingView {
    const now = (): number => this.#ports.clock.monotonic()
    const sets = this.#sets
    return {
      get sets() {
        return sets.all(now())
      },
      set: (name) => sets.set(name, now()),
      onChange: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  /** Everything the members of a set last said, for people. */
  report(set: string): readonly MemberReport[] {
    return this.#sets.members(set)
  }

  close(): void {
    this.#isClosed = true
    this.#generation++
    this.#timer?.cancel()
    this.#leaseTimer?.cancel()
    this.#session?.close()
  }

  #open(): void {
    if (this.#isClosed) return
    const generation = ++this.#generation
    this.#sequence = 0
    this.#unanswered = 0
    this.#sets.opening(this.#ports.clock.monotonic())
    this.#session = this.#link.follow(
      this.#hello,
      (answer) => {
        if (generation === this.#generation) this.#take(answer)
      },
      (why) => {
        if (generation === this.#generation) this.#lost(why)
      },
    )
    this.#timer = this.#ports.clock.after(STATUS_INTERVAL_MS, () => this.#beat())
  }

  #beat(): void {
    this.#unanswered++
    if (this.#unanswered > UNANSWERED_MAX) {
      this.#generation++
      this.#session?.close()
      this.#lost(new BrokerError('UNAVAILABLE', 'it does not answer'))
      return
    }
    this.#sequence++
    this.#sets.sent(this.#sequence, this.#ports.clock.monotonic())
    this.#say()
    this.#timer = this.#ports.clock.after(STATUS_INTERVAL_MS, () => this.#beat())
  }

  #say(): void {
    this.#session?.send({ sequence: this.#sequence, taken: this.#sets.revision })
  }

  #take(answer: RelayAnswer): void {
    const { clock, logger } = this.#ports
    const before = this.#sets.revision
    const named = this.#sets.heard(answer, clock.monotonic())
    this.#tellListeners(named)
    // Only now: nothing of before is passed on any more.
    if (this.#sets.revision !== before) this.#say()
    if (answer.sequence === undefined) return
    if (this.#trouble !== undefined) logger.info({}, 'the grantor is heard')
    this.#trouble = undefined
    this.#toldTrouble = ''
    this.#unanswered = 0
    this.#failures = 0
    this.#heard.resolve()
    this.#armLease()
  }

  /** At its end it is not known any more who serves. */
  #armLease(): void {
    this.#leaseTimer?.cancel()
    const { clock } = this.#ports
    const leftMs = this.#sets.leaseEnd - clock.monotonic()
    this.#leaseTimer = clock.after(Math.max(0, Math.ceil(leftMs)), () => {
      this.#tellListeners(this.view.sets.map(({ set }) => set))
    })
  }

  #lost(why: BrokerError): void {
    this.#session = undefined
    this.#timer?.cancel()
    this.#trouble = why
    this.#complain(why)
    const pauseMs = retryPauseMs(this.#failures, RETRY_MAX_MS, this.#ports.random)
    this.#failures++
    this.#timer = this.#ports.clock.after(pauseMs, () => this.#open())
  }

  /** Once per outage and once per refusal, not once per attempt. */
  #complain(why: BrokerError): void {
    const isRefused = why.code === 'PEER_REFUSED'
    const trouble = isRefused ? why.message : 'away'
    if (trouble === this.#toldTrouble || (!isRefused && this.#failures < QUIET_FAILURES)) return
    this.#toldTrouble = trouble
    const { logger } = this.#ports
    const facts = { why: messageOf(why) }
    if (isRefused) logger.warn(facts, 'the grantor refuses this relay')
    else logger.warn(facts, 'the grantor cannot be reached; going on with what it said last')
  }

  #tellListeners(names: readonly string[]): void {
    const now = this.#ports.clock.monotonic()
    for (const name of names) {
      const serving = this.#sets.set(name, now)
      if (serving === undefined) {
        this.#told.delete(name)
        continue
      }
      const face = faceOf(serving)
      if (face === this.#told.get(name)) continue
      this.#told.set(name, face)
      for (const listener of this.#listeners) listener(serving)
    }
  }
}

/** Positions change all the time and are nobody's news. */
function faceOf(serving: SetServing): string {
  return JSON.stringify({ ...serving, members: serving.members.map((member) => ({ ...member, end: 0 })) })
}
