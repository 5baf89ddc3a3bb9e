import { BrokerError } from '@tandemmq/base'
import type { MemberView } from './registry-answer.ts'
import type { ServingView } from './serving-view.ts'

/** What one member of a set has for its master, which it does not reach itself (rule 4.7). */
export interface HandBackAddress {
  readonly set: string
  /** Identities. */
  readonly from: string
  readonly to: string
}

/**
 * Whom it goes on to. Throws `SET_NOT_FOUND`; `PEER_REFUSED` if `from` is not registered in that set, or `to` is not its master; `UNAVAILABLE` if
 * the master is not heard.
 */
export function handBackTarget(
  view: Pick<ServingView, 'set'>,
  { set, from, to }: HandBackAddress,
): MemberView {
  const members = view.set(set)?.members
  if (members === undefined) throw new BrokerError('SET_NOT_FOUND', `there is no set ${set}`)
  if (!members.some((member) => member.identity === from && member.alive))
    throw new BrokerError('PEER_REFUSED', `${from} is not registered in the set ${set}`)
  const target = members.find((member) => member.identity === to && member.role === 'master')
  if (target === undefined || to === from)
    throw new BrokerError('PEER_REFUSED', `${to} is not the master of the set ${set}`)
  if (!target.alive) throw new BrokerError('UNAVAILABLE', `the master of the set ${set} is not heard: ${to}`)
  return target
}
