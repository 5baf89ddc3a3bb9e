import { answerFor, faceOf } from './answer-for.ts'
import type { Instant, RegistryState, SessionId, SetState } from './registry-state.ts'
import type { RegistryEffect, RegistryStep } from './registry-step.ts'
import { setReport } from './relays.ts'
import { settled } from './token-grant.ts'

/** Grants what is to be granted in a changed set, answers who asked, and tells everybody else what they could not know. */
export function settle(
  state: RegistryState,
  before: SetState | undefined,
  changed: SetState,
  asking: SessionId | undefined,
  now: Instant,
): RegistryStep {
  const set = settled(state, changed, now)
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
  const after = { ...state, sets: new Map(state.sets).set(next.name, next) }
  return tellAll ? toldToRelays(after, next, effects, now) : { state: after, effects }
}

function toldToRelays(
  state: RegistryState,
  set: SetState,
  effects: readonly RegistryEffect[],
  now: Instant,
): RegistryStep {
  const next = { ...state, revision: state.revision + 1 }
  const sets = next.relays.size === 0 ? [] : [setReport(next, set, now)]
  const answer = { revision: next.revision, sets }
  const told = [...next.relays.keys()].map((session) => ({ kind: 'tell-relay', session, answer }) as const)
  return { state: next, effects: [...effects, ...told] }
}

/** Grants whatever has become free. */
export function allSettled(state: RegistryState, now: Instant): RegistryStep {
  let current = state
  const effects: RegistryEffect[] = []
  for (const set of state.sets.values()) {
    const ended = settle(current, set, set, undefined, now)
    current = ended.state
    effects.push(...ended.effects)
  }
  return { state: current, effects }
}
