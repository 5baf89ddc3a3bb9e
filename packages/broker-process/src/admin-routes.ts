import { BrokerError } from '@tandemmq/base'
import type { Broker, BrokerOptions } from '@tandemmq/broker'
import {
  demandToken,
  replicationMember,
  type HttpRoutes,
  type ReplicationFacts,
  type ReplicationView,
} from '@tandemmq/http'

/**
 * What a broker says of itself under `/api/v1`, in the shape that metadata-rpc has for all of them. Without a token there is nothing: a broker's
 * HTTP port is open to others for its health.
 *
 * @param running `undefined` as long as the log is being read
 */
export function adminRoutes(
  app: HttpRoutes,
  running: () => Broker | undefined,
  { set, identity }: Pick<BrokerOptions, 'set' | 'identity'>,
  token: string | undefined,
): void {
  if (token === undefined) return
  void app.register(
    (api, _options, done) => {
      demandToken(api, token)
      api.get('/replication', (): ReplicationView => {
        const broker = running()
        if (broker === undefined) {
          throw new BrokerError('UNAVAILABLE', 'this broker is starting: its log is being read')
        }
        const { store, visible, role, details } = broker
        const facts: ReplicationFacts = {
          set,
          identity,
          role: role.kind,
          alive: true,
          end: store.end,
          flushed: store.flushed.at,
          confirmed: visible.at,
          dispatched: store.dispatched.at,
        }
        return { members: [replicationMember(facts, details)] }
      })
      done()
    },
    { prefix: '/api/v1' },
  )
}
