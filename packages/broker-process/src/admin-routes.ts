import { BrokerError } from '@tandemmq/base'
import type { Broker, BrokerOptions } from '@tandemmq/broker'
import {
  demandToken,
  replicationMember,
  type HttpRoutes,
  type ReplicationFacts,
  type ReplicationView,
} from '@tandemmq/http'

const OFFSET = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const
const range = {
  type: 'object',
  additionalProperties: false,
  properties: { from: OFFSET, to: OFFSET },
} as const

interface LogRange {
  readonly from: number
  readonly to: number
}

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
        const broker = opened(running())
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
      api.post<{ Body: Partial<LogRange> }>(
        '/replication/verify',
        { schema: { body: range } },
        (request, reply) => {
          const { role } = opened(running())
          const { from, to } = request.body
          if (role.kind !== 'master') {
            throw new BrokerError('NOT_WRITABLE', 'this broker is a slave: its master compares the logs')
          }
          if (from !== undefined && to !== undefined && from >= to) {
            throw new BrokerError('ILLEGAL_ARGUMENT', `a range from ${from} to ${to} holds no byte`)
          }
          return reply.code(202).send(role.verify(from, to))
        },
      )
      api.post<{ Params: { identity: string } }>('/replicas/:identity/forget', (request) => {
        const { role } = opened(running())
        const { identity: forgotten } = request.params
        if (role.kind === 'master')
          return role.forget(forgotten).then(() => ({ forgotten, roster: role.roster }))
        throw new BrokerError('NOT_WRITABLE', 'this broker is a slave: its master remembers the replicas')
      })
      done()
    },
    { prefix: '/api/v1' },
  )
}

function opened(broker: Broker | undefined): Broker {
  if (broker !== undefined) return broker
  throw new BrokerError('UNAVAILABLE', 'this broker is starting: its log is being read')
}
