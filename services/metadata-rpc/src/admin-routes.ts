import { demandToken, type ClusterDescription, type HttpRoutes } from '@tandemmq/http'
import type { ClusterView, NewGroup, NewTopic } from './cluster-view.ts'

const NAME = { type: 'string', minLength: 1, maxLength: 127, pattern: '^[%|a-zA-Z0-9_-]+$' } as const

const newTopic = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: NAME,
    type: { type: 'string', enum: ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'] },
    queues: { type: 'integer', minimum: 1, maximum: 1024 },
    set: NAME,
  },
} as const

const newGroup = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { ...NAME, maxLength: 120 },
    orderly: { type: 'boolean' },
    retryMaxTimes: { type: 'integer', minimum: 0, maximum: 1000 },
  },
} as const

const promotion = {
  type: 'object',
  additionalProperties: false,
  properties: {
    to: { ...NAME, pattern: '^[A-Za-z0-9_%|][A-Za-z0-9._:@%|-]*$' },
    oldMasterIsOff: { type: 'boolean' },
    acceptLoss: { type: 'boolean' },
  },
} as const

interface Promotion {
  readonly to?: string
  readonly oldMasterIsOff?: boolean
  readonly acceptLoss?: boolean
}

/** Cluster state, replication, topics, groups and promotion under `/api/v1`. */
export function adminRoutes(app: HttpRoutes, cluster: ClusterView, token: string | undefined): void {
  void app.register(
    (api, _options, done) => {
      if (token !== undefined) demandToken(api, token)
      api.get('/cluster', (): ClusterDescription => ({
        sets: cluster.sets(),
        problems: cluster.problems(),
      }))

      api.get('/replication', () => ({ members: cluster.replication() }))

      api.get('/topics', () => ({ topics: cluster.topics() }))
      api.get<{ Params: { name: string } }>('/topics/:name', (request, reply) => {
        const topic = cluster.topic(request.params.name)
        return (
          topic ??
          reply
            .code(404)
            .send({ error: 'TOPIC_NOT_FOUND', message: `there is no topic ${request.params.name}` })
        )
      })
      api.post<{ Body: NewTopic }>('/topics', { schema: { body: newTopic } }, async (request, reply) => {
        await cluster.createTopic(request.body)
        return reply.code(201).send({ created: request.body.name })
      })

      api.get('/groups', () => ({ groups: cluster.groups() }))
      api.get<{ Params: { name: string } }>('/groups/:name', (request, reply) => {
        const group = cluster.group(request.params.name)
        return (
          group ??
          reply
            .code(404)
            .send({ error: 'GROUP_NOT_FOUND', message: `there is no group ${request.params.name}` })
        )
      })
      api.post<{ Body: NewGroup }>('/groups', { schema: { body: newGroup } }, async (request, reply) => {
        await cluster.createGroup(request.body)
        return reply.code(201).send({ created: request.body.name })
      })
      api.post<{ Params: { set: string }; Body: Promotion }>(
        '/sets/:set/promote',
        { schema: { body: promotion } },
        (request) => {
          const { to, oldMasterIsOff = false, acceptLoss = false } = request.body
          const { set } = request.params
          return cluster.promote({ set, oldMasterIsOff, acceptLoss, ...(to !== undefined && { to }) })
        },
      )
      done()
    },
    { prefix: '/api/v1' },
  )
}
