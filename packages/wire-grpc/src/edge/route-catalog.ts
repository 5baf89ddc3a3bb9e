/** What a topic takes; MIXED takes everything. */
export type TopicKind = 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION' | 'MIXED'

/** A topic on one broker set. */
export interface TopicPlacement {
  /** The set's name (`brokerName`). */
  readonly set: string
  readonly readQueues: number
  readonly writeQueues: number
  /** Bits: 4 = readable, 2 = writable. */
  readonly perm: number
  readonly type: TopicKind
}

export interface GroupTraits {
  readonly orderly: boolean
  readonly retryMaxTimes: number
}

/** What the edge knows of topics and groups: of one broker, or of all that a gateway stands before. */
export interface RouteCatalog {
  /** Where the topic is, by set name; empty if there is no such topic. */
  topic(name: string): readonly TopicPlacement[]
  group(name: string): GroupTraits | undefined
  /** A client asks for a topic that does not exist: makes it where that is wanted and possible; otherwise empty. */
  createTopic(name: string): Promise<readonly TopicPlacement[]>
}

export function isReadable({ perm, readQueues }: TopicPlacement): boolean {
  return (perm & 4) !== 0 && readQueues > 0
}

export function isWritable({ perm, writeQueues }: TopicPlacement): boolean {
  return (perm & 2) !== 0 && writeQueues > 0
}
