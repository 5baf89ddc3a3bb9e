import type { FollowingDetails, MemberDetails, MemberRole, ReplicaDetails } from '@tandemmq/registry'

/** What `GET /api/v1/replication` answers: one member from a broker, all that are known from metadata-rpc. */
export interface ReplicationView {
  readonly members: readonly ReplicationMember[]
}

/** A broker's part in replication. Positions are bytes of log offset. */
export interface ReplicationMember {
  readonly set: string
  readonly identity: string
  readonly role: MemberRole
  /** Heard within the last second. */
  readonly alive: boolean
  readonly end: number
  readonly flushed: number
  readonly confirmed: number
  readonly dispatched: number
  /** Master: its slaves as it sees them, connected or not. */
  readonly replicas: readonly ReplicaView[]
  /** Slave: what it says of itself and its master. */
  readonly following?: FollowingDescription
  readonly problems: readonly string[]
}

export interface ReplicaView extends Omit<ReplicaDetails, 'refusals'> {
  readonly refusals: Readonly<Record<string, number>>
}

export interface FollowingDescription extends Omit<FollowingDetails, 'troubles'> {
  readonly troubles: Readonly<Record<string, number>>
}

/** Who a member is and where its log stands. */
export type ReplicationFacts = Omit<ReplicationMember, 'replicas' | 'following' | 'problems'>

/** Joins the two, without anything that JSON cannot say. `details` absent: the member has not said any. */
export function replicationMember(
  facts: ReplicationFacts,
  details: MemberDetails | undefined,
): ReplicationMember {
  const { set, identity, role, alive, end, flushed, confirmed, dispatched } = facts
  return {
    set,
    identity,
    role,
    alive,
    end,
    flushed,
    confirmed,
    dispatched,
    replicas: (details?.replicas ?? []).map(replicaView),
    ...(details?.following && { following: followingDescription(details.following) }),
    problems: details?.problems ?? [],
  }
}

export function replicaView(replica: ReplicaDetails): ReplicaView {
  return { ...replica, refusals: Object.fromEntries(replica.refusals) }
}

export function followingDescription(following: FollowingDetails): FollowingDescription {
  return { ...following, troubles: Object.fromEntries(following.troubles) }
}
