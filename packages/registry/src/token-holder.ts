import type { HeldLease, MemberStatus } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import { SentStatuses } from './sent-statuses.ts'

/** The holder stops this much before the grantor may give the token to somebody else (rule 4.1). */
export const holderMarginMs = 200

/** What a status says about the token. */
export type TokenWords = Pick<MemberStatus, 'renew' | 'wants' | 'release'>

interface Lease {
  readonly epoch: number
  /** On the monotonic clock. */
  readonly until: number
}

/**
 * The broker's side of the serving token: whether it may answer consumers at this moment. It asks nobody and has no clock: every call says
 * what the monotonic clock says.
 *
 * A lease is counted from the *sending* of the status that was answered, so delay only shortens it; a process that was stopped wakes up with
 * its lease over.
 */
export class TokenHolder {
  #lease: Lease | undefined
  /** The token as last heard, whoever has it. */
  #known: { readonly epoch: number; readonly holder: string } | undefined
  #seenEpoch = 0
  /** Epochs up to here were given back: nothing revives them. */
  #renouncedEpoch = 0
  #sealedEpoch = 0
  #release: { readonly epoch: number; readonly to: string } | undefined
  #stayEpoch = 0
  readonly #sent = new SentStatuses()
  /** Until then nobody else takes a grant, by the word of all who could (rule 4.6). */
  #promised: Lease | undefined
  /** No grant is taken that answers what was sent before this moment. */
  #abstainsUntil = -Infinity

  /** Highest serving epoch this process has heard of. */
  get seenEpoch(): number {
    return this.#seenEpoch
  }

  /** Who has the token as far as is known here; it may be out of date. */
  get known(): { readonly epoch: number; readonly holder: string } | undefined {
    return this.#known
  }

  /** The epoch under which consumers may be answered now; `undefined`: not at all. */
  servingEpoch(now: number): number | undefined {
    const lease = this.#lease
    return lease && now < lease.until && lease.epoch !== this.#sealedEpoch ? lease.epoch : undefined
  }

  /** Tested when a call is accepted and again in the tick that writes its answer. */
  mayServe(now: number): boolean {
    return this.servingEpoch(now) !== undefined
  }

  /** When the lease ends if nobody renews it, on the monotonic clock. */
  get leaseEnd(): number | undefined {
    return this.#lease?.until
  }

  /** The token is held, serving or sealed. */
  holds(now: number): boolean {
    return this.#lease !== undefined && now < this.#lease.until
  }

  /**
   * Promises the holder to take no grant before `until` (rule 4.6). False: it is not promised, the token is held here.
   */
  abstain(until: number, now: number): boolean {
    if (this.holds(now)) return false
    this.#abstainsUntil = Math.max(this.#abstainsUntil, until)
    return true
  }

  isAbstaining(now: number): boolean {
    return now < this.#abstainsUntil
  }

  /** Every other replica has promised to take no grant: the lease goes on until `until`, if it is not over and still that epoch's. */
  prolong(epoch: number, until: number, now: number): void {
    const lease = this.#lease
    if (!lease || now >= lease.until || lease.epoch !== epoch) return
    this.#promised = { epoch, until }
    if (lease.until < until) this.#lease = { epoch, until }
  }

  /** Served by the promise of all others: whatever the registry may have granted, nobody else serves now (rule 4.6). */
  isPromised(now: number): boolean {
    return this.#promised?.epoch === this.servingEpoch(now) && now < (this.#promised?.until ?? -Infinity)
  }

  /** A registration is being opened: its hello counts as status 0. Returns the lease to state in it. */
  opening(now: number): HeldLease | undefined {
    this.#sent.opening(now)
    const lease = this.#lease
    if (!lease || now >= lease.until) return undefined
    return { epoch: lease.epoch, remainingMs: Math.ceil(lease.until - now) + holderMarginMs }
  }

  /** What the next status says about the token. */
  words(now: number): TokenWords {
    const lease = this.#lease
    const isHeld = lease !== undefined && now < lease.until
    return {
      ...(isHeld && { renew: { epoch: lease.epoch } }),
      ...(isHeld && this.#stayEpoch === lease.epoch && { wants: 'stay' }),
      ...(this.isAbstaining(now) && { wants: 'nothing' }),
      ...(this.#release && { release: this.#release }),
    }
  }

  /** A status is being sent. Call it before the bytes can leave. */
  sent(sequence: number, now: number): void {
    this.#sent.sent(sequence, now)
  }

  /** The registry has answered on the registration opened last. */
  answered(answer: RegistryAnswer): void {
    const sentAt = this.#sent.answered(answer.sequence)
    const { token } = answer
    if (!token) {
      this.#release = undefined
      return
    }
    const isOutdated = token.epoch < this.#seenEpoch
    if (isOutdated) return
    this.#seenEpoch = token.epoch
    this.#known = { epoch: token.epoch, holder: token.holder }
    if (this.#release && token.epoch > this.#release.epoch) this.#release = undefined
    if (!token.yours) {
      this.#lease = undefined
      return
    }
    if (token.epoch <= this.#renouncedEpoch || sentAt === undefined) return
    if (sentAt < this.#abstainsUntil) return
    const until = sentAt + token.leaseMs - holderMarginMs
    if (this.#lease?.epoch === token.epoch && this.#lease.until >= until) return
    this.#lease = { epoch: token.epoch, until }
  }

  /** Stops answering and keeps the token, so that nobody else gets it meanwhile (rule 4.7). Returns the sealed epoch, if any is held. */
  seal(now: number): number | undefined {
    if (!this.holds(now)) return undefined
    this.#sealedEpoch = this.#lease?.epoch ?? 0
    return this.#sealedEpoch
  }

  /** Takes the seal back: asks to go on, under a new epoch. */
  stay(): void {
    this.#stayEpoch = this.#lease?.epoch ?? 0
  }

  /** Stops for good under this epoch and gives the token to `to` by name. */
  release(to: string): void {
    const epoch = this.#lease?.epoch
    if (epoch === undefined) return
    this.#lease = undefined
    this.#renouncedEpoch = Math.max(this.#renouncedEpoch, epoch)
    this.#release = { epoch, to }
  }
}
