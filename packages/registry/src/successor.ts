import {
  endOf,
  isAlive,
  isDeposed,
  isHolder,
  isMaster,
  lastEpochOf,
  type Instant,
  type MemberState,
  type RegistryOptions,
  type SetState,
} from './registry-state.ts'

/**
 * Who shall get a token that nobody holds: the master if it can serve, otherwise whoever has the highest (last epoch, end), and of equals the
 * lowest identity (rule 4.4). `undefined`: nobody yet.
 *
 * A fresh registry first waits for what it does not know (rule 4.5): until every configured member has spoken, or the lease that an earlier
 * grantor may have given has run out. A slave is not chosen before the master had one lease of time to appear. Nobody is chosen before
 * its first status, which says whether it can serve.
 *
 * A holder that is alive and whose lease could end nevertheless, because the registry stood still, keeps the token: it moves back to the
 * master by hand-back only.
 */
export function successorOf(
  set: SetState,
  startedAt: number,
  options: RegistryOptions,
  now: Instant,
): MemberState | undefined {
  const complete = haveAllSpoken(set)
  if (set.tokenEpoch === 0 && !complete && now.at < startedAt + options.leaseMs) return undefined

  const alive = [...set.members.values()].filter((member) => isAlive(member, options, now))
  const able = alive.filter(({ status }) => status !== undefined && status.wants !== 'nothing')
  const last = able.find((member) => set.token && isHolder(member, set.token))
  if (last) return last
  const master = able.find((member) => isMaster(set, member))
  if (master) return master
  const isMasterAboutToSpeak = alive.some((member) => isMaster(set, member) && !member.status)
  if (isMasterAboutToSpeak) return undefined
  if (set.tokenEpoch === 0 && !complete && now.at < set.firstSeenAt + options.leaseMs) return undefined
  // One that was deposed may hold what its successor does not: it has to become a slave first.
  const slaves = able.filter(({ hello }) => hello.role === 'slave' || !isDeposed(set, hello.identity))
  return slaves.toSorted(byPrecedence)[0]
}

function haveAllSpoken(set: SetState): boolean {
  const configured = Math.max(...[...set.members.values()].map((member) => member.hello.totalReplicas))
  return configured > 0 && set.members.size >= configured
}

function byPrecedence(one: MemberState, other: MemberState): number {
  return (
    lastEpochOf(other) - lastEpochOf(one) ||
    endOf(other) - endOf(one) ||
    (one.hello.identity < other.hello.identity ? -1 : 1)
  )
}
