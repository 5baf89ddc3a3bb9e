import { membersOf, highestLogEpoch } from './answer-for.ts'
import type { MemberDetails } from './member.ts'
import type { MemberView } from './registry-answer.ts'
import {
  isAlive,
  isMaster,
  lastEpochOf,
  logIdOf,
  type Instant,
  type RegistryState,
  type SetState,
} from './registry-state.ts'

/** Who answers consumers of a set. */
export interface ServingMember {
  /** Calls are stamped with it (rule 4.3). */
  readonly epoch: number
  readonly identity: string
  readonly grpcAddress: string
  /** Not heard for a second: it may be gone, its lease still runs. */
  readonly suspect: boolean
  /** Whether it still holds the token is not known here: it is asked to answer only by the promise of all other replicas (rule 4.6). */
  readonly onPromise?: true
}

/** Who takes sends of a set. */
export interface WritableMember {
  readonly identity: string
  readonly grpcAddress: string
  readonly logEpoch: number
  /** It would refuse a send now: its disk has no room for messages. */
  readonly diskFull: boolean
}

/** One broker set as gateways see it. */
export interface SetServing {
  readonly cluster: string
  readonly set: string
  /** Absent while nobody holds the token. */
  readonly serving?: ServingMember
  /** Answers under this epoch, or an older one, do not count any more: its holder is gone, and somebody else may be about to serve. */
  readonly retired?: number
  /** Absent while there is no writable master, or it was not heard for a second. */
  readonly writable?: WritableMember
  /** All members that this registry has seen, by identity. */
  readonly members: readonly MemberView[]
}

/** What a member last said, for people. */
export interface MemberReport extends MemberView {
  readonly instanceId: string
  readonly flushed: number
  readonly confirmed: number
  readonly dispatched: number
  readonly masterConnected?: boolean
  readonly registered: boolean
  readonly heardAgoMs: number
  readonly details?: MemberDetails
}

/** Who serves and who is writable now. Read it at any time; it tells its listeners when something of it changes (positions do not count). */
export interface ServingView {
  readonly sets: readonly SetServing[]
  set(name: string): SetServing | undefined
  /** `changed` is the set that changed. Returns how to stop. */
  onChange(listener: (changed: SetServing) => void): () => void
}

export function servingOf(state: RegistryState, set: SetState, now: Instant): SetServing {
  const { options } = state
  const { token, retired } = set
  const holder = token && !retired ? set.members.get(token.holder) : undefined
  const writable = [...set.members.values()].find(
    (member) =>
      isMaster(set, member) &&
      isAlive(member, options, now) &&
      member.status?.writable === true &&
      lastEpochOf(member) >= Math.max(highestLogEpoch(set, logIdOf(member)), set.appointment?.epoch ?? 0),
  )
  return {
    cluster: options.cluster,
    set: set.name,
    ...(token &&
      holder && {
        serving: {
          epoch: token.epoch,
          identity: token.holder,
          grpcAddress: holder.hello.grpcAddress,
          suspect: !isAlive(holder, options, now),
        },
      }),
    ...(retired && { retired: retired.epoch }),
    ...(writable && {
      writable: {
        identity: writable.hello.identity,
        grpcAddress: writable.hello.grpcAddress,
        logEpoch: lastEpochOf(writable),
        diskFull: writable.status?.diskFull === true,
      },
    }),
    members: membersOf(set, options, now),
  }
}

/** Everything about the members of a set, for status and the admin API. */
export function reportOf(state: RegistryState, set: SetState, now: Instant): readonly MemberReport[] {
  return membersOf(set, state.options, now).flatMap((view) => {
    const member = set.members.get(view.identity)
    if (!member) return []
    const { status, hello } = member
    return [
      {
        ...view,
        instanceId: hello.instanceId,
        flushed: status?.flushed ?? 0,
        confirmed: status?.confirmed ?? 0,
        dispatched: status?.dispatched ?? 0,
        ...(status?.masterConnected !== undefined && { masterConnected: status.masterConnected }),
        registered: member.session !== undefined,
        heardAgoMs: Math.round(now.at - member.heardAt),
        ...(status && { details: status.details }),
      },
    ]
  })
}
