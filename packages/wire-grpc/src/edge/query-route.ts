import { rocketmq } from '@tandemmq/rpc'
import { topicName, topicNotFound } from '../client-api/resource-names.ts'
import { okStatus, StatusError } from '../client-api/status-error.ts'
import type { AdvertisedEndpoints } from './endpoints.ts'
import {
  isReadable,
  isWritable,
  type RouteCatalog,
  type TopicKind,
  type TopicPlacement,
} from './route-catalog.ts'

const { Code, MessageType, Permission } = rocketmq

/** Never empty: several clients refuse to send what is not on the list. */
const ACCEPTED: Readonly<Record<TopicKind, readonly rocketmq.MessageType[]>> = {
  NORMAL: [MessageType.NORMAL],
  FIFO: [MessageType.FIFO],
  DELAY: [MessageType.DELAY],
  TRANSACTION: [MessageType.TRANSACTION],
  MIXED: [MessageType.NORMAL, MessageType.FIFO, MessageType.DELAY, MessageType.TRANSACTION],
}

/** Where the topic is. Throws ILLEGAL_TOPIC, TOPIC_NOT_FOUND, FORBIDDEN. */
export async function placementsOf(name: string, catalog: RouteCatalog): Promise<readonly TopicPlacement[]> {
  const known = catalog.topic(name)
  const placements = known.length > 0 ? known : await catalog.createTopic(name)
  if (placements.length === 0) throw topicNotFound(name)
  return placements
}

/**
 * Every set of the topic, each as broker 0: a client needs no other, and some are misled by slaves. The Node client
 * uses nothing but queue 0, so there always is one.
 */
export async function queryRoute(
  request: rocketmq.QueryRouteRequest,
  catalog: RouteCatalog,
  endpoints: AdvertisedEndpoints,
): Promise<rocketmq.QueryRouteResponse> {
  const name = topicName(request.topic)
  const placements = await placementsOf(name, catalog)
  const messageQueues = placements.flatMap((placement) => queuesOf(placement, request, endpoints))
  if (messageQueues.length === 0)
    throw new StatusError(Code.FORBIDDEN, `the topic ${name} has no usable queue`)
  return { status: okStatus, messageQueues }
}

function queuesOf(
  placement: TopicPlacement,
  { topic, endpoints: asked }: rocketmq.QueryRouteRequest,
  endpoints: AdvertisedEndpoints,
): rocketmq.MessageQueue[] {
  const broker: rocketmq.Broker = { name: placement.set, id: 0, endpoints: endpoints(placement.set, asked) }
  const { count, permission } = usableQueues(placement)
  return Array.from({ length: count }, (_, id) => ({
    topic,
    id,
    permission,
    broker,
    acceptMessageTypes: [...ACCEPTED[placement.type]],
  }))
}

function usableQueues(placement: TopicPlacement): { count: number; permission: rocketmq.Permission } {
  const { readQueues, writeQueues } = placement
  if (isReadable(placement) && isWritable(placement)) {
    return { count: Math.min(readQueues, writeQueues), permission: Permission.READ_WRITE }
  }
  if (isReadable(placement)) return { count: readQueues, permission: Permission.READ }
  if (isWritable(placement)) return { count: writeQueues, permission: Permission.WRITE }
  return { count: 0, permission: Permission.NONE }
}
