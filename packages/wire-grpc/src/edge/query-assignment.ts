import { rocketmq } from '@tandemmq/rpc'
import { groupName, topicName } from '../client-api/resource-names.ts'
import { okStatus, StatusError } from '../client-api/status-error.ts'
import type { AdvertisedEndpoints } from './endpoints.ts'
import { placementsOf } from './query-route.ts'
import { isReadable, type RouteCatalog } from './route-catalog.ts'

const { Code, Permission } = rocketmq

/** Stands for all queues of a set. */
const ALL_QUEUES = -1

/** Everybody is assigned everything: all queues of a set at once, for an orderly group queue by queue. Nobody balances here. */
export async function queryAssignment(
  request: rocketmq.QueryAssignmentRequest,
  catalog: RouteCatalog,
  endpoints: AdvertisedEndpoints,
): Promise<rocketmq.QueryAssignmentResponse> {
  const name = topicName(request.topic)
  const group = groupName(request.group)
  const orderly = catalog.group(group)?.orderly === true
  const readable = (await placementsOf(name, catalog)).filter(isReadable)
  if (readable.length === 0) throw new StatusError(Code.FORBIDDEN, 'no readable queue')
  const assignments = readable.flatMap((placement) => {
    const broker: rocketmq.Broker = {
      name: placement.set,
      id: 0,
      endpoints: endpoints(placement.set, request.endpoints),
    }
    const ids = orderly ? Array.from({ length: placement.readQueues }, (_, id) => id) : [ALL_QUEUES]
    return ids.map((id) => ({
      messageQueue: {
        topic: request.topic,
        id,
        permission: Permission.READ_WRITE,
        broker,
        acceptMessageTypes: [],
      },
    }))
  })
  return { status: okStatus, assignments }
}
