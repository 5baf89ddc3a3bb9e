import type { Problem, Readiness } from '@tandemmq/base'
import type { ReplicationMember, SetState } from '@tandemmq/http'
import type { Promoted, PromotionRequest } from '@tandemmq/registry'

/** What the HTTP API shows and does. The composition root joins registry and metadata copies behind it. */
export interface ClusterView {
  sets(): readonly SetState[]
  /** All members that are known: each one's own view of replication. */
  replication(): readonly ReplicationMember[]
  topics(): readonly TopicSummary[]
  topic(name: string): TopicDescription | undefined
  groups(): readonly GroupSummary[]
  group(name: string): GroupDescription | undefined
  /** Creates it on the master of every set (or of `set`). Throws `BrokerError`. */
  createTopic(topic: NewTopic): Promise<void>
  createGroup(group: NewGroup): Promise<void>
  /** Makes a slave master of its set (rule 3.5). Throws `BrokerError` with the reason why not. */
  promote(request: PromotionRequest): Promise<Promoted>
  readiness(): Readiness
  /** What keeps the cluster from working; empty = ready. */
  problems(): readonly Problem[]
}

export interface TopicSummary {
  readonly name: string
  readonly type: string
  readonly sets: readonly string[]
  readonly readQueues: number
  readonly writeQueues: number
}

export interface TopicDescription extends TopicSummary {
  readonly perm: number
  /** Groups with progress on the topic. */
  readonly groups: readonly string[]
}

export interface GroupSummary {
  readonly name: string
  readonly orderly: boolean
  readonly retryMaxTimes: number
  readonly consumeEnabled: boolean
}

export interface GroupDescription extends GroupSummary {
  readonly progress: readonly {
    readonly set: string
    readonly topic: string
    readonly queueId: number
    /** First unacknowledged queue offset. */
    readonly offset: number
  }[]
}

export interface NewTopic {
  readonly name: string
  readonly type?: string
  /** 1…1024, default 8. */
  readonly queues?: number
  readonly set?: string
}

export interface NewGroup {
  readonly name: string
  readonly orderly?: boolean
  readonly retryMaxTimes?: number
}
