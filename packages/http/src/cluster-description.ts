import type { Problem } from '@tandemmq/base'
import type { MemberRole } from '@tandemmq/registry'
import type { FollowingDescription, ReplicaView } from './replication-view.ts'

/** What `GET /api/v1/cluster` of metadata-rpc answers. */
export interface ClusterDescription {
  readonly sets: readonly SetState[]
  /** What keeps the cluster from working; empty: it works. */
  readonly problems: readonly Problem[]
}

export interface SetState {
  readonly name: string
  /** Who answers consumers now (rule 4.1); absent while nobody does. */
  readonly serving?: { readonly identity: string; readonly epoch: number }
  /** Identity of the master that takes sends now. */
  readonly writable?: string
  readonly okMeans?: string
  readonly members: readonly MemberState[]
}

export interface MemberState {
  readonly identity: string
  readonly role: MemberRole
  readonly alive: boolean
  readonly writable: boolean
  readonly grpcAddress: string
  readonly haAddress?: string
  /** Positions of its log, bytes. */
  readonly end: number
  readonly flushed: number
  readonly confirmed: number
  readonly dispatched: number
  /** Bytes behind the master of its set. */
  readonly lagBytes: number
  readonly masterConnected?: boolean
  readonly metadataSync?: MetadataSyncState
  readonly replicas?: readonly ReplicaView[]
  readonly following?: FollowingDescription
  readonly problems: readonly string[]
}

export interface MetadataSyncState {
  /** Wall clock, ms; 0 = never. */
  readonly lastSuccessAt: number
  readonly version: string
  /** `ok` or what went wrong, per kind: topics, groups, progress, delay. */
  readonly results: Readonly<Record<string, string>>
}
