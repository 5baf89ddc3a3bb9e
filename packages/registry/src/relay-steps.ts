import { BrokerError } from '@tandemmq/base'
import type { Instant, RegistryState, SessionId } from './registry-state.ts'
import type { RegistryStep } from './registry-step.ts'
import type { RelayHello, RelayStatus } from './relay-link.ts'
import { relayAfter, relayRefusal, wholeAnswer, withoutRelay } from './relays.ts'
import { allSettled } from './settle.ts'

export function relayJoined(
  before: RegistryState,
  session: SessionId,
  hello: RelayHello,
  now: Instant,
): RegistryStep {
  const why = relayRefusal(before, hello)
  if (why !== undefined) return { state: before, effects: [{ kind: 'hang-up', session, why }] }
  const relay = { identity: hello.identity, heardAt: now.at, sequence: 0, taken: 0 }
  const state = { ...before, relays: new Map(before.relays).set(session, relay) }
  return { state, effects: [{ kind: 'tell-relay', session, answer: wholeAnswer(state, 0, now) }] }
}

export function relayHeard(
  before: RegistryState,
  session: SessionId,
  status: RelayStatus,
  now: Instant,
): RegistryStep {
  const known = before.relays.get(session)
  if (known === undefined) return { state: before, effects: [] }
  try {
    const relay = relayAfter(known, status, now)
    // It may be the one that a token waits for.
    const moved = allSettled({ ...before, relays: new Map(before.relays).set(session, relay) }, now)
    if (status.sequence <= known.sequence) return moved
    const answer = wholeAnswer(moved.state, status.sequence, now)
    return { ...moved, effects: [...moved.effects, { kind: 'tell-relay', session, answer }] }
  } catch (thrown) {
    if (!(thrown instanceof BrokerError)) throw thrown
    return { state: withoutRelay(before, session), effects: [{ kind: 'hang-up', session, why: thrown }] }
  }
}
