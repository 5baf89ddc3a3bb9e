import type {
  Instant,
  MemberState,
  RegistryOptions,
  RegistryState,
  ServingToken,
  SetState,
} from './registry-state.ts'
import { isAlive, isDeposed, isHolder } from './registry-state.ts'
import { haveRelaysLetGo } from './relays.ts'
import { successorOf } from './successor.ts'

/** A member has registered: takes over the lease it still believes in, or notes that it believes in none (rule 4.5). */
export function afterHello(
  set: SetState,
  member: MemberState,
  options: RegistryOptions,
  now: Instant,
): SetState {
  const { identity, instanceId, heldLease, seenServingEpoch } = member.hello
  const seenEpoch = Math.max(set.seenEpoch, seenServingEpoch, heldLease?.epoch ?? 0)
  if (heldLease && heldLease.remainingMs > 0) {
    const isNews = heldLease.epoch > set.tokenEpoch && heldLease.epoch >= set.seenEpoch
    if (!isNews) return { ...set, seenEpoch }
    const remainingMs = Math.min(heldLease.remainingMs, options.leaseMs)
    const { epoch } = heldLease
    const expiresAt = now.at + remainingMs
    const token = { epoch, holder: identity, instanceId, expiresAt, isInherited: true }
    return { ...set, seenEpoch, token, tokenEpoch: epoch }
  }
  // It has the token by our books and does not know it: a new process, or one that gave up. Where nothing stamps calls, only the process
  // itself can say so.
  const isFree =
    set.token?.holder === identity && (options.moveOnClose || set.token.instanceId === instanceId)
  return { ...set, seenEpoch, token: isFree ? undefined : set.token }
}

/** A member has renewed, released or asked to stay. Words about an epoch that is over mean nothing. */
export function afterStatus(
  set: SetState,
  member: MemberState,
  options: RegistryOptions,
  now: Instant,
): SetState {
  const { token } = set
  const { status } = member
  if (!token || !status || !isHolder(member, token)) return set
  if (status.release?.epoch === token.epoch) {
    const successor = set.members.get(status.release.to)
    const free: SetState = { ...set, token: undefined }
    return successor && successor !== member && isAble(set, successor, options, now)
      ? granted(free, successor, options, now)
      : free
  }
  if (status.renew?.epoch !== token.epoch) return set
  if (status.wants === 'stay') return granted(set, member, options, now)
  // It can serve no more, and somebody else can: its lease is left to run out.
  const others = [...set.members.values()].filter((other) => other !== member)
  if (status.wants === 'nothing' && others.some((other) => isAble(set, other, options, now))) return set
  return { ...set, token: { ...token, expiresAt: now.at + options.leaseMs } }
}

/**
 * Ends a lease that is over and grants a token that is free, if there is somebody to have it. Before it takes the token from a holder that
 * has left, relays let go of that one.
 */
export function settled(state: RegistryState, set: SetState, now: Instant): SetState {
  const { options, startedAt } = state
  const { token } = set
  const isOver = token !== undefined && token.expiresAt <= now.at
  if (token && !isOver && !(options.moveOnClose && hasLeft(set, token))) return { ...set, retired: undefined }
  const successor = successorOf(set, startedAt, options, now)
  if (!successor) return { ...set, token: isOver ? undefined : token, retired: undefined }
  if (!token || isOver || haveRelaysLetGo(state, set, now)) return granted(set, successor, options, now)
  return { ...set, retired: set.retired ?? { epoch: token.epoch, revision: state.revision + 1 } }
}

function granted(set: SetState, member: MemberState, options: RegistryOptions, now: Instant): SetState {
  const epoch = Math.max(set.seenEpoch + 1, now.wall)
  const { identity, instanceId } = member.hello
  const expiresAt = now.at + options.leaseMs
  const token = { epoch, holder: identity, instanceId, expiresAt, isInherited: false }
  return { ...set, token, retired: undefined, seenEpoch: epoch, tokenEpoch: epoch }
}

/** Alive, and does not say that it cannot serve. */
function isAble(set: SetState, member: MemberState, options: RegistryOptions, now: Instant): boolean {
  const { hello, status } = member
  if (hello.role === 'master' && isDeposed(set, hello.identity)) return false
  return isAlive(member, options, now) && status !== undefined && status.wants !== 'nothing'
}

function hasLeft(set: SetState, token: ServingToken): boolean {
  return set.members.get(token.holder)?.session === undefined
}
