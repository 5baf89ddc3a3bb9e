import type { Broker } from '@tandemmq/broker'
import { topicConfig } from '@tandemmq/metadata'
import type { RouteCatalog, TopicPlacement } from '@tandemmq/wire-grpc'

/** Routes as one broker knows them, for clients that come to it directly. */
export function localRoutes(
  broker: Broker,
  set: string,
  rules: { readonly topics: boolean; readonly queues: number },
): RouteCatalog {
  const placements = (name: string): readonly TopicPlacement[] => {
    const topic = broker.metadata.topics.get(name)
    return topic === undefined ? [] : [{ set, ...topic }]
  }
  return {
    topic: placements,
    group: (name) => broker.metadata.groups.get(name),
    createTopic: (name) => {
      if (rules.topics && broker.role.kind === 'master' && broker.role.writability.isWritable) {
        const topic = topicConfig({
          name,
          readQueues: rules.queues,
          writeQueues: rules.queues,
          type: 'MIXED',
        })
        broker.metadata.commit({ kind: 'topic-put', topic })
      }
      return Promise.resolve(placements(name))
    },
  }
}
