import { BrokerError, unreachable } from '@tandemmq/base'
import { checkedHello, checkedStatus } from './checked-hello.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import { admission } from './admission.ts'
import { laterOf, type Appointment } from './appointment.ts'
import { answerFor, faceOf } from './answer-for.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import {
  lastEpochOf,
  type Instant,
  type MemberState,
  type RegistryState,
  type SessionId,
  type SetState,
} from './registry-state.ts'
import type { SetRecord } from './set-record.ts'
import { afterHello, afterStatus, settled } from './token-grant.ts'

export type RegistryEvent =
  | { readonly kind: 'joined'; readonly session: SessionId; readonly hello: MemberHello }
  | { readonly kind: 'heard'; readonly session: SessionId; readonly status: MemberStatus }
  | { readonly kind: 'left'; readonly session: SessionId }
  /** The master of a set is asked to step down by the promotion of that number; undefined: it may go on. */
  | { readonly kind: 'step-down'; readonly set: string; readonly promotion: number | undefined }
  /** It was written down that this member is the master. */
  | { readonly kind: 'appointed'; readonly set: string; readonly appointment: Appointment }
  /** The time {@link wakeAt} named has come. */
  | { readonly kind: 'woken' }

export type RegistryEffect =
  | { readonly kind: 'answer'; readonly session: SessionId; readonly answer: RegistryAnswer }
  /** The session is over; `left` need not follow. */
  | { readonly kind: 'hang-up'; readonly session: SessionId; readonly why: BrokerError }
  /** The token has a new epoch. */
  | { readonly kind: 'granted'; readonly set: string; readonly epoch: number; readonly holder: string }

export interface RegistryStep {
  readonly state: RegistryState
  readonly effects: readonly RegistryEffect[]
}

/** A timer that is this late did not just have to wait for its turn. */
const pauseMs = 300

/** The registry as a function: what happened, when, and what follows from it. */
export function step(before: RegistryState, event: RegistryEvent, now: Instant): RegistryStep {
  const state = afterPause(before, now)
  switch (event.kind) {
    case 'joined':
      return joined(state, event.session, event.hello, now)
    case 'heard':
      return heard(state, event.session, event.status, now)
    case 'left':
      return left(state, event.session, now)
    case 'step-down':
      return withChange(state, event.set, (set) => ({ ...set, stepDown: event.promotion }), now)
    case 'appointed':
      return withChange(state, event.set, (set) => appointed(set, event.appointment), now)
    case 'woken':
      return woken(state, now)
    default:
      return unreachable(event)
  }
}

/** When time alone changes something next, on the monotonic clock. `undefined`: never. */
export function wakeAt(state: RegistryState, now: Instant): number | undefined {
  const { options, startedAt } = state
  let earliest = Infinity
  const consider = (at: number): void => {
    if (at > now.at && at < earliest) earliest = at
  }
  for (const set of state.sets.values()) {
    if (set.token) consider(set.token.expiresAt)
    if (set.tokenEpoch === 0) {
      consider(startedAt + options.leaseMs)
      consider(set.firstSeenAt + options.leaseMs)
    }
    for (const member of set.members.values()) {
      if (member.session === undefined) continue
      consider(member.heardAt + options.suspectAfterMs)
      consider(member.heardAt + options.silentAfterMs)
    }
  }
  return earliest === Infinity ? undefined : earliest
}

/**
 * A registry that was itself stopped wakes to old clocks and full sockets. The time it missed is no silence of its members; leases run on
 * through it, since their holders count for themselves.
 */
function afterPause(state: RegistryState, now: Instant): RegistryState {
  const due = wakeAt(state, { at: state.steppedAt, wall: now.wall })
  if (due === undefined || now.at - due < pauseMs) return { ...state, steppedAt: now.at }
  const missedMs = now.at - state.steppedAt
  const sets = [...state.sets].map(([name, set]): [string, SetState] => {
    const members = [...set.members].map(([identity, member]): [string, MemberState] => [
      identity,
      { ...member, heardAt: member.heardAt + missedMs },
    ])
    return [name, { ...set, members: new Map(members) }]
  })
  return { ...state, steppedAt: now.at, sets: new Map(sets) }
}

function joined(state: RegistryState, session: SessionId, claimed: MemberHello, now: Instant): RegistryStep {
  let hello: MemberHello
  try {
    hello = checkedHello(claimed)
  } catch (thrown) {
    if (!(thrown instanceof BrokerError)) throw thrown
    return { state, effects: [{ kind: 'hang-up', session, why: thrown }] }
  }
  const before = state.sets.get(hello.set)
  const verdict = admission(state, before, hello, now)
  if (verdict.kind === 'refused') {
    return { state, effects: [{ kind: 'hang-up', session, why: verdict.why }] }
  }
  const sessions = new Map(state.sessions).set(session, { set: hello.set, identity: hello.identity })
  const effects: RegistryEffect[] = []
  if (verdict.replaced) {
    sessions.delete(verdict.replaced.session)
    effects.push({ kind: 'hang-up', ...verdict.replaced })
  }
  const member: MemberState = {
    hello,
    status: undefined,
    session,
    heardAt: now.at,
    sequence: 0,
    receivedAt: now.at,
  }
  const known = before ?? newSet(hello.set, state.kept.get(hello.set), now)
  const appointment = laterOf(known.appointment, hello.appointment)
  const set = withMember({ ...known, appointment }, member)
  const ended = settle(
    { ...state, sessions },
    before,
    afterHello(set, member, state.options, now),
    session,
    now,
  )
  return { state: ended.state, effects: [...effects, ...ended.effects] }
}

function heard(state: RegistryState, session: SessionId, claimed: MemberStatus, now: Instant): RegistryStep {
  const found = find(state, session)
  if (!found) return { state, effects: [] }
  const { set, member } = found
  let status: MemberStatus
  try {
    status = checkedStatus(claimed)
    if (status.sequence <= member.sequence) {
      throw new BrokerError(
        'PROTOCOL_VIOLATION',
        `status ${status.sequence} came after status ${member.sequence}`,
      )
    }
  } catch (thrown) {
    if (!(thrown instanceof BrokerError)) throw thrown
    const gone = left(state, session, now)
    return { state: gone.state, effects: [{ kind: 'hang-up', session, why: thrown }, ...gone.effects] }
  }
  const { sequence } = status
  const next: MemberState = { ...member, status, heardAt: now.at, sequence, receivedAt: now.at }
  return settle(state, set, afterStatus(withMember(set, next), next, state.options, now), session, now)
}

function left(state: RegistryState, session: SessionId, now: Instant): RegistryStep {
  const found = find(state, session)
  if (!found) return { state, effects: [] }
  const sessions = new Map(state.sessions)
  sessions.delete(session)
  const member: MemberState = { ...found.member, session: undefined }
  return settle({ ...state, sessions }, found.set, withMember(found.set, member), undefined, now)
}

function withChange(
  state: RegistryState,
  name: string,
  change: (set: SetState) => SetState,
  now: Instant,
): RegistryStep {
  const set = state.sets.get(name)
  return set === undefined ? { state, effects: [] } : settle(state, set, change(set), undefined, now)
}

function appointed(set: SetState, appointment: Appointment): SetState {
  return { ...set, stepDown: undefined, appointment: laterOf(set.appointment, appointment) }
}

function woken(state: RegistryState, now: Instant): RegistryStep {
  let current = state
  const effects: RegistryEffect[] = []
  for (const name of state.sets.keys()) {
    const silent = [...(current.sets.get(name)?.members.values() ?? [])].filter(
      (member) => member.session !== undefined && now.at - member.heardAt >= state.options.silentAfterMs,
    )
    for (const { session, hello } of silent) {
      if (session === undefined) continue
      const gone = left(current, session, now)
      current = gone.state
      const why = new BrokerError(
        'UNAVAILABLE',
        `${hello.identity} said nothing for ${state.options.silentAfterMs} ms`,
      )
      effects.push({ kind: 'hang-up', session, why }, ...gone.effects)
    }
    const set = current.sets.get(name)
    if (!set) continue
    const ended = settle(current, set, set, undefined, now)
    current = ended.state
    effects.push(...ended.effects)
  }
  return { state: current, effects }
}

/** Grants what is to be granted in a changed set, answers who asked, and tells everybody else what they could not know. */
function settle(
  state: RegistryState,
  before: SetState | undefined,
  changed: SetState,
  asking: SessionId | undefined,
  now: Instant,
): RegistryStep {
  const set = settled(changed, state.startedAt, state.options, now)
  const face = faceOf(set, state.options, now)
  const tellAll = face !== changed.face
  const next: SetState = { ...set, face }
  const effects: RegistryEffect[] = []
  if (next.token && next.token.epoch !== before?.token?.epoch) {
    effects.push({ kind: 'granted', set: next.name, epoch: next.token.epoch, holder: next.token.holder })
  }
  for (const member of next.members.values()) {
    if (member.session === undefined || (!tellAll && member.session !== asking)) continue
    effects.push({
      kind: 'answer',
      session: member.session,
      answer: answerFor(next, member, state.options, now),
    })
  }
  return { state: { ...state, sets: new Map(state.sets).set(next.name, next) }, effects }
}

function newSet(name: string, kept: SetRecord | undefined, now: Instant): SetState {
  return {
    name,
    firstSeenAt: now.at,
    members: new Map(),
    token: undefined,
    seenEpoch: 0,
    tokenEpoch: 0,
    logEpoch: kept?.logEpoch ?? 0,
    appointment: kept?.appointment,
    stepDown: undefined,
    face: '',
  }
}

function withMember(set: SetState, member: MemberState): SetState {
  const logEpoch = Math.max(set.logEpoch, lastEpochOf(member))
  return { ...set, logEpoch, members: new Map(set.members).set(member.hello.identity, member) }
}

function find(
  state: RegistryState,
  session: SessionId,
): { readonly set: SetState; readonly member: MemberState } | undefined {
  const place = state.sessions.get(session)
  const set = place && state.sets.get(place.set)
  const member = set?.members.get(place?.identity ?? '')
  return set && member ? { set, member } : undefined
}
