import { BrokerError, checkedOffset } from '@tandemmq/base'
import { checkName } from './checked-hello.ts'
import type { RelayAnswer, RelayHello, RelayStatus, SetReport } from './relay-link.ts'
import type { Instant, RegistryState, RelayState, SessionId, SetState } from './registry-state.ts'
import { reportOf, servingOf } from './serving-view.ts'

const relaysMax = 64

/** Why a relay cannot follow; `undefined`: it can. */
export function relayRefusal({ options, relays }: RegistryState, hello: RelayHello): BrokerError | undefined {
  try {
    checkName(hello.cluster, 'cluster')
    checkName(hello.identity, 'identity')
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown
    throw thrown
  }
  if (hello.cluster !== options.cluster) {
    return new BrokerError(
      'PEER_REFUSED',
      `this registry keeps cluster ${options.cluster}, not ${hello.cluster}`,
    )
  }
  if (relays.size < relaysMax) return undefined
  return new BrokerError('PEER_REFUSED', `${relaysMax} relays follow this registry already`)
}

/** Throws `PROTOCOL_VIOLATION`. */
export function relayAfter(relay: RelayState, { sequence, taken }: RelayStatus, now: Instant): RelayState {
  checkedOffset(sequence, 'status sequence')
  checkedOffset(taken, 'revision')
  return {
    ...relay,
    heardAt: now.at,
    sequence: Math.max(relay.sequence, sequence),
    taken: Math.max(relay.taken, taken),
  }
}

/** What it was told last it may go by for one more lease. */
export function withoutRelay(state: RegistryState, session: SessionId): RegistryState {
  const relay = state.relays.get(session)
  if (relay === undefined) return state
  const relays = new Map(state.relays)
  relays.delete(session)
  const goneUntil = Math.max(state.goneRelaysUntil, relay.heardAt + state.options.leaseMs)
  return { ...state, relays, goneRelaysUntil: goneUntil }
}

/** Everything, in answer to a status. */
export function wholeAnswer(state: RegistryState, sequence: number, now: Instant): RelayAnswer {
  const sets = [...state.sets.values()].map((set) => setReport(state, set, now))
  return { revision: state.revision, sequence, sets }
}

export function setReport(state: RegistryState, set: SetState, now: Instant): SetReport {
  return { serving: servingOf(state, set, now), members: reportOf(state, set, now) }
}

/**
 * Whether no relay passes calls to the holder of the set's token any more, so that the token may move before its lease ends (rule 4.2). One
 * that is not heard for a lease has stopped by itself. Of relays of an earlier grantor, which may go by an epoch that is older than this one,
 * nothing is known.
 */
export function haveRelaysLetGo(state: RegistryState, set: SetState, now: Instant): boolean {
  const { options, relays, goneRelaysUntil, startedAt } = state
  if (set.token?.isInherited === true && now.at < startedAt + options.leaseMs) return false
  if (now.at < goneRelaysUntil) return false
  const revision = set.retired?.revision ?? Infinity
  return [...relays.values()].every(
    ({ heardAt, taken }) => taken >= revision || now.at >= heardAt + options.leaseMs,
  )
}

/** When {@link haveRelaysLetGo} may change by time alone. */
export function relayTimes({
  options,
  relays,
  goneRelaysUntil,
  startedAt,
}: RegistryState): readonly number[] {
  return [
    goneRelaysUntil,
    startedAt + options.leaseMs,
    ...[...relays.values()].flatMap(({ heardAt }) => [
      heardAt + options.leaseMs,
      heardAt + options.silentAfterMs,
    ]),
  ]
}
