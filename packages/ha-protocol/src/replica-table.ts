import type { LogOffset } from '@tandemmq/base'
import { Frontier } from '@tandemmq/base'
import type { Hello, Refusal } from '@tandemmq/codec'
import { replicatedEnd } from './quorum.ts'
import type { KnownLimits, Replica, ReplicaHolder, ReplicaStatus } from './replica.ts'

export type Claim =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'contested' }
  | { readonly kind: 'turned-away'; readonly refusal: Refusal }

/** More slaves than this follow no master. */
const REPLICAS_MAX = 64
/** Nor have more names been counted: each of them is on its disk, and may be waited for. */
const ROSTER_MAX = 256
export const ROSTER_FULL = `the roster of this master has ${ROSTER_MAX} names: \`tandemmq replica forget\` those that are gone for good`

/**
 * The replicas of a master by identity, and what they hold together. An identity counts once, however often it
 * connects (rule 2.4).
 */
export class ReplicaTable {
  /** The n-th best position, the master's own included. Never goes back, even when a replica leaves. */
  readonly replicated: Frontier
  readonly #needed: () => number
  readonly #ownEnd: () => LogOffset
  readonly #roster: () => readonly string[]
  readonly #replicas = new Map<string, Replica>()
  /** Connections that wait for an identity, at most one for each. */
  readonly #claims = new Map<string, ReplicaHolder>()

  /**
   * @param needed how many identities, the master included, must hold a record now; asked at every look
   * @param roster whoever was ever counted
   */
  constructor(
    needed: () => number,
    ownEnd: () => LogOffset,
    isAlone: boolean,
    roster: () => readonly string[],
  ) {
    this.#needed = needed
    this.#ownEnd = ownEnd
    this.#roster = roster
    this.replicated = new Frontier(isAlone ? ownEnd() : 0)
  }

  get replicas(): readonly Replica[] {
    return [...this.#replicas.values()]
  }

  /** Asks for an identity. What follows a `contested` is told to the holder as its rival's outcome. */
  claim(peer: Hello, holder: ReplicaHolder): Claim {
    const { identity } = peer
    if (this.#claims.has(identity))
      return turnedAway('identity-busy', `"${identity}" is being claimed already`)
    const seated = this.#replicas.get(identity)
    if (seated === undefined && !this.hasRoom) {
      return turnedAway('too-many-replicas', `this master already has ${REPLICAS_MAX} replicas`)
    }
    if (!this.hasPlaceInRoster(identity)) return turnedAway('too-many-replicas', ROSTER_FULL)
    this.#claims.set(identity, holder)
    if (seated === undefined) return { kind: 'claimed' }
    if (seated.peer.instanceId === peer.instanceId) {
      this.#replicas.delete(identity)
      seated.holder.evict(`the same process has connected again from ${holder.remote}`)
      return { kind: 'claimed' }
    }
    seated.holder.probe(() => this.#claims.get(identity)?.rival('alive'))
    return { kind: 'contested' }
  }

  /** The connection that holds an identity's place; undefined: none does. */
  holderOf(identity: string): ReplicaHolder | undefined {
    return this.#replicas.get(identity)?.holder
  }

  /** The holder of an identity has not answered: it loses its place. */
  evict(identity: string, words: string): void {
    const seated = this.#replicas.get(identity)
    this.#replicas.delete(identity)
    seated?.holder.evict(words)
  }

  /** Whether one more may follow this master. */
  get hasRoom(): boolean {
    return this.#replicas.size + this.#claims.size < REPLICAS_MAX
  }

  /** Whether this name has been counted before, or one more may be. */
  hasPlaceInRoster(identity: string): boolean {
    const roster = this.#roster()
    return roster.length < ROSTER_MAX || roster.includes(identity)
  }

  /** Ends a claim with success. */
  seat(replica: Replica): void {
    this.#claims.delete(replica.peer.identity)
    this.#replicas.set(replica.peer.identity, replica)
  }

  /** A connection has ended, whatever it held or claimed. */
  leave(identity: string, holder: ReplicaHolder): void {
    if (this.#claims.get(identity) === holder) this.#claims.delete(identity)
    if (this.#replicas.get(identity)?.holder !== holder) return
    this.#replicas.delete(identity)
    this.#claims.get(identity)?.rival('gone')
    this.progress()
  }

  /** Looks again after something has moved: our own end, a counted replica, or who is known. */
  progress(): void {
    const positions = [this.#ownEnd()]
    for (const replica of this.#replicas.values()) if (replica.isCounted) positions.push(replica.received)
    const end = replicatedEnd(positions, this.#needed())
    if (end > this.replicated.at) this.replicated.advance(end)
  }

  /** How many identities a send may count on, the master included (rule 2.8). */
  known(now: number, limits: KnownLimits): number {
    const end = this.#ownEnd()
    let known = 1
    for (const replica of this.#replicas.values()) if (replica.isKnown(end, now, limits)) known += 1
    return known
  }

  /** Whether it is the one that holds its identity's place now. */
  isSeated(replica: Replica): boolean {
    return this.#replicas.get(replica.peer.identity) === replica
  }

  status(now: number, limits: KnownLimits): readonly ReplicaStatus[] {
    const end = this.#ownEnd()
    return this.replicas.map((replica) => replica.status(end, now, limits))
  }
}

function turnedAway(reason: string, words: string): Claim {
  return { kind: 'turned-away', refusal: { reason, words } }
}
