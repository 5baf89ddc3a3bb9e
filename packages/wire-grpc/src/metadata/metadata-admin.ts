import type { GroupConfig, TopicConfig } from '@tandemmq/metadata'

/** A topic as an administrator wants it; what is left out takes Apache's default. */
export type TopicWish = Partial<
  Pick<TopicConfig, 'readQueues' | 'writeQueues' | 'perm' | 'type' | 'order'>
> & {
  readonly name: string
  readonly attributes?: ReadonlyMap<string, string>
}

/** A group as an administrator wants it. */
export type GroupWish = Partial<
  Pick<GroupConfig, 'consumeEnabled' | 'orderly' | 'retryMaxTimes' | 'retryQueues'>
> & {
  readonly name: string
}

/** What can be administered on one broker. Only a master changes anything; others throw `NOT_WRITABLE`. */
export interface MetadataAdmin {
  putTopic(topic: TopicConfig): Promise<void>
  deleteTopic(name: string): Promise<void>
  putGroup(group: GroupConfig): Promise<void>
  deleteGroup(name: string): Promise<void>
  /** One JSON object for people and tools. `what` is empty for the broker itself; otherwise for instance `topic` with a `name`. */
  describe(what: string, name: string): Promise<string>
}
