import type { Catalog, GroupView, TopicView } from '@tandemmq/messaging'
import { groupConfig, topicConfig, type MetadataStore } from '@tandemmq/metadata'

export interface CreationRules {
  /** Unknown topics come to be at their first use (`autoCreateTopicEnable`). */
  readonly topics: boolean
  /** Unknown groups come to be at their first use (`autoCreateSubscriptionGroup`). */
  readonly groups: boolean
  /** Queues of a topic that came to be by itself (`defaultTopicQueueNums`). */
  readonly queues: number
}

/** Messaging's view of topics and groups: the metadata tables, plus what comes to be at first use where that is allowed. */
export class TopicsAndGroups implements Catalog {
  readonly #metadata: MetadataStore
  readonly #rules: CreationRules
  readonly #mayCreate: () => boolean

  /** @param mayCreate only a master creates (rule 5.4) */
  constructor(metadata: MetadataStore, rules: CreationRules, mayCreate: () => boolean) {
    this.#metadata = metadata
    this.#rules = rules
    this.#mayCreate = mayCreate
  }

  topic(name: string): TopicView | undefined {
    return this.#metadata.topics.get(name)
  }

  group(name: string): GroupView | undefined {
    return this.#metadata.groups.get(name)
  }

  createTopic(name: string): TopicView | undefined {
    if (!this.#rules.topics || !this.#mayCreate()) return undefined
    const { queues } = this.#rules
    return this.#put(topicConfig({ name, readQueues: queues, writeQueues: queues, type: 'MIXED' }))
  }

  /** A slave that serves lets an unknown group read, and leaves it to the master to write it down. */
  createGroup(name: string): GroupView | undefined {
    if (!this.#rules.groups) return undefined
    const group = groupConfig({ name })
    if (this.#mayCreate()) this.#metadata.commit({ kind: 'group-put', group })
    return group
  }

  deadLetterTopic(group: string): TopicView | undefined {
    const name = `%DLQ%${group}`
    const known = this.#metadata.topics.get(name)
    if (known !== undefined || !this.#mayCreate()) return known
    return this.#put(topicConfig({ name, readQueues: 1, writeQueues: 1 }))
  }

  #put(topic: ReturnType<typeof topicConfig>): TopicView {
    this.#metadata.commit({ kind: 'topic-put', topic })
    return topic
  }
}
