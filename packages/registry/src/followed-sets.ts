import { defaultRegistryOptions } from './registry-state.ts'
import type { MemberView } from './registry-answer.ts'
import type { RelayAnswer, SetReport } from './relay-link.ts'
import { SentStatuses } from './sent-statuses.ts'
import type { MemberReport, SetServing } from './serving-view.ts'
import { holderMarginMs } from './token-holder.ts'

/** Whom a registry has not heard of this long after it was reached is not there: brokers register within a second (rule 4.8). */
const SETTLED_MS = 5000

/**
 * What a relay goes by: all sets, as the registry told last. It asks nobody and has no clock: every call says what the monotonic clock says.
 *
 * Who *serves* it goes by on a lease like a holder's (rule 4.1), from the sending of the status that was answered last, so that a grantor
 * that hears nothing of it knows when it has stopped; from then on whoever served last may answer on promise alone. Everything else stays good
 * until something newer is heard.
 */
export class FollowedSets {
  readonly #sets = new Map<string, SetReport>()
  #revision = 0
  #leaseEnd = -Infinity
  #reachedAt = Infinity
  readonly #sent = new SentStatuses()

  /** The last revision from which on nothing was missed. */
  get revision(): number {
    return this.#revision
  }

  /** Until when it is known for certain who serves, on the monotonic clock. */
  get leaseEnd(): number {
    return this.#leaseEnd
  }

  /** A session is being opened: its hello counts as status 0. */
  opening(now: number): void {
    this.#sent.opening(now)
    this.#revision = 0
    this.#reachedAt = Infinity
  }

  /** A status is being sent. Call it before the bytes can leave. */
  sent(sequence: number, now: number): void {
    this.#sent.sent(sequence, now)
  }

  /** The registry has said this on the session opened last. Returns the names of the sets that it named or that are gone. */
  heard({ revision, sequence, sets }: RelayAnswer, now: number): readonly string[] {
    const named = sets.map(({ serving }) => serving.set)
    if (sequence !== undefined) this.#reachedAt = Math.min(this.#reachedAt, now)
    const isSettled = now >= this.#reachedAt + SETTLED_MS
    for (const said of sets) {
      const known = this.#sets.get(said.serving.set)
      this.#sets.set(said.serving.set, isSettled || known === undefined ? said : completed(said, known))
    }
    if (sequence === undefined) {
      // One before it may have been left out; then the next whole answer says it.
      if (revision === this.#revision + 1) this.#revision = revision
      return named
    }
    this.#revision = revision
    const sentAt = this.#sent.answered(sequence)
    if (sentAt !== undefined) this.#leaseEnd = sentAt + defaultRegistryOptions.leaseMs - holderMarginMs
    if (!isSettled) return named
    const gone = [...this.#sets.keys()].filter((set) => !named.includes(set))
    for (const set of gone) this.#sets.delete(set)
    return [...named, ...gone]
  }

  all(now: number): readonly SetServing[] {
    return [...this.#sets.values()].map(({ serving }) => this.#current(serving, now))
  }

  set(name: string, now: number): SetServing | undefined {
    const serving = this.#sets.get(name)?.serving
    return serving && this.#current(serving, now)
  }

  members(name: string): readonly MemberReport[] {
    return this.#sets.get(name)?.members ?? []
  }

  #current(said: SetServing, now: number): SetServing {
    const { serving } = said
    if (serving === undefined || now < this.#leaseEnd) return said
    return { ...said, serving: { ...serving, onPromise: true } }
  }
}

/** What a registry says that has just started, and what was known of members that it has not heard of yet. */
function completed(said: SetReport, known: SetReport): SetReport {
  const named = new Set(said.members.map(({ identity }) => identity))
  const missing = known.members.filter(({ identity }) => !named.has(identity))
  const { serving, retired, writable, members } = said.serving
  const isMissing = (member: { readonly identity: string } | undefined): boolean =>
    member !== undefined && !named.has(member.identity)
  const { serving: served, writable: written } = known.serving
  return {
    members: [...said.members, ...missing.map(absent)],
    serving: {
      ...said.serving,
      // Whoever is granted the token instead gets it only once this one has stopped by itself (rule 4.5).
      ...(!serving && retired === undefined && served && isMissing(served) && { serving: served }),
      ...(!writable && written && isMissing(written) && { writable: written }),
      members: [...members, ...known.serving.members.filter(isMissing).map(absent)],
    },
  }
}

function absent<Member extends MemberView>(member: Member): Member {
  return { ...member, alive: false, writable: false }
}
