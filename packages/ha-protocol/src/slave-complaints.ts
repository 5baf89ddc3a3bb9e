import type { Logger } from '@tandemmq/base'
import type { Refusal } from '@tandemmq/codec'

/** Nobody is there, or not ready yet: one trouble, however the single attempts end. */
const AWAY = new Set(['closed', 'unreachable', 'not-ready', 'silence', 'late-handshake'])

/** Whether a master that is not there explains the trouble; otherwise the two have met, and one does not want the other. */
export function isMasterAway({ reason }: Refusal): boolean {
  return AWAY.has(reason)
}

/** In an ordinary start a slave may be up before its master: so many attempts (about 5 s) fail in silence. */
const QUIET_FAILURES = 8

/** Tells why a slave does not follow its master: once per trouble, not once per attempt. */
export class SlaveComplaints {
  readonly #logger: Logger
  readonly #master: string
  #hasFollowed = false
  #last: Refusal | undefined

  /** `master`: where it was looked for, `host:port`. */
  constructor(logger: Logger, master: string) {
    this.#logger = logger
    this.#master = master
  }

  following(): void {
    this.#hasFollowed = true
    this.#last = undefined
  }

  /** `failures`: attempts in a row that failed. */
  trouble(trouble: Refusal, failures: number): void {
    const { reason, words } = trouble
    const isAway = isMasterAway(trouble)
    if (isAway && !this.#hasFollowed && failures < QUIET_FAILURES) return
    if (this.#last !== undefined && topicOf(this.#last) === topicOf(trouble)) return
    this.#last = trouble
    this.#logger.warn({ peer: this.#master, reason, words }, 'not following the master')
  }
}

function topicOf(refusal: Refusal): string {
  return isMasterAway(refusal) ? 'away' : `${refusal.reason}: ${refusal.words}`
}
