import { BrokerError, unreachable } from '@tandemmq/base'
import { checkedHello, checkedStatus } from './checked-hello.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import { admission } from './admission.ts'
import { laterOf, type Appointment } from './appointment.ts'
import type { RegistryEffect, RegistryEvent, RegistryStep } from './registry-step.ts'
import { relayJoined, relayHeard } from './relay-steps.ts'
import { relayTimes, withoutRelay } from './relays.ts'
import {
  lastEpochOf,
  type Instant,
  type MemberState,
  type RegistryState,
  type SessionId,
  type SetState,
} from './registry-state.ts'
import type { SetRecord } from './set-record.ts'
import { allSettled, settle } from './settle.ts'
import { afterHello, afterStatus } from './token-grant.ts'

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
    case 'relay-joined':
      return relayJoined(state, event.session, event.hello, now)
    case 'relay-heard':
      return relayHeard(state, event.session, event.status, now)
    case 'relay-left':
      return { state: withoutRelay(state, event.session), effects: [] }
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
  for (const at of relayTimes(state)) consider(at)
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

function woken(before: RegistryState, now: Instant): RegistryStep {
  let current = before
  const effects: RegistryEffect[] = []
  for (const [session, { identity, heardAt }] of before.relays) {
    if (now.at - heardAt < before.options.silentAfterMs) continue
    current = withoutRelay(current, session)
    const why = new BrokerError(
      'PROTOCOL_VIOLATION',
      `${identity} said nothing for ${before.options.silentAfterMs} ms`,
    )
    effects.push({ kind: 'hang-up', session, why })
  }
  const state = current
  for (const name of state.sets.keys()) {
    const silent = [...(current.sets.get(name)?.members.values() ?? [])].filter(
      (member) => member.session !== undefined && now.at - member.heardAt >= state.options.silentAfterMs,
    )
    for (const { session, hello } of silent) {
      if (session === undefined) continue
      const gone = left(current, session, now)
      current = gone.state
      const why = new BrokerError(
        'PROTOCOL_VIOLATION',
        `${hello.identity} said nothing for ${state.options.silentAfterMs} ms`,
      )
      effects.push({ kind: 'hang-up', session, why }, ...gone.effects)
    }
  }
  const ended = allSettled(current, now)
  return { state: ended.state, effects: [...effects, ...ended.effects] }
}

function newSet(name: string, kept: SetRecord | undefined, now: Instant): SetState {
  return {
    name,
    firstSeenAt: now.at,
    members: new Map(),
    token: undefined,
    retired: undefined,
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
