import { BrokerError, type ErrorCode, messageOf } from '@tandemmq/base'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { healthRoutes } from './health-routes.ts'
import type { HttpParts } from './http-parts.ts'

/** Where a service puts routes of its own. */
export type HttpRoutes = FastifyInstance
export type HttpRequest = FastifyRequest

/** Requests larger than this are refused. */
const BODY_MAX_BYTES = 64 * 1024

/** Unsupported Media Type. */
const NO_JSON = 415

/** What answers HTTP requests, whoever listens for them. */
export async function httpApp(parts: HttpParts): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_MAX_BYTES,
    // A field that nobody knows is refused, not dropped: it was meant to say something.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  healthRoutes(app, parts)
  parts.routes?.(app)
  answerErrors(app)
  await app.ready()
  return app
}

/** Operating errors become statuses here and nowhere else. */
function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof BrokerError) {
      return reply.code(httpStatuses[error.code] ?? 503).send({ error: error.code, message: error.message })
    }
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    const message = status === NO_JSON ? 'send JSON, with "Content-Type: application/json"' : messageOf(error)
    return reply.code(status).send({ error: status < 500 ? 'ILLEGAL_ARGUMENT' : 'INTERNAL', message })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: 'NOT_FOUND', message: `there is no ${request.method} ${request.url}` }),
  )
}

const httpStatuses: Partial<Record<ErrorCode, number>> = {
  ILLEGAL_ARGUMENT: 400,
  MESSAGE_ILLEGAL: 400,
  TOPIC_NOT_FOUND: 404,
  GROUP_NOT_FOUND: 404,
  SET_NOT_FOUND: 404,
  PEER_REFUSED: 403,
  PROMOTION_REFUSED: 409,
}
