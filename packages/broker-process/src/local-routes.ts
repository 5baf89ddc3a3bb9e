import type { Broker } from '@tandemmq/broker'
import type { RouteCatalog, TopicPlacement } from '@tandemmq/wire-grpc'

/** Routes as one broker knows them, for clients that come to it directly. */
export function localRoutes(broker: Broker, set: string): RouteCatalog {
  const placements = (name: string): readonly TopicPlacement[] => {
    const topic = broker.metadata.topics.get(name)
    return topic === undefined ? [] : [{ set, ...topic }]
  }
  return {
    topic: placements,
    group: (name) => broker.metadata.groups.get(name),
    createTopic: (name) => {
      broker.catalog.createTopic(name)
      return Promise.resolve(placements(name))
    },
  }
}
