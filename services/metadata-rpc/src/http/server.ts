import { BrokerError, type ErrorCode, messageOf } from '@tandemmq/base'
import { fastify, type FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'
import { adminRoutes } from './admin-routes.ts'
import { healthRoutes } from './health-routes.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Callers of `/api` must send it as `Authorization: Bearer …`; absent: the API is open. */
  readonly adminToken?: string
}

/** Requests larger than this are refused. */
const BODY_MAX_BYTES = 64 * 1024

/** Health, metrics and administration over HTTP. Resolves once it listens. */
export async function startHttpServer(
  options: HttpServerOptions,
  cluster: ClusterView,
  metricsText: () => Promise<string>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const app = fastify({
    bodyLimit: BODY_MAX_BYTES,
    forceCloseConnections: true,
    connectionTimeout: 10_000,
    requestTimeout: 10_000,
  })
  healthRoutes(app, cluster, metricsText)
  adminRoutes(app, cluster, options.adminToken)
  answerErrors(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => app.close(),
  }
}

/** Operating errors become statuses here and nowhere else. */
function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof BrokerError) {
      return reply.code(httpStatuses[error.code] ?? 503).send({ error: error.code, message: error.message })
    }
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    return reply
      .code(status)
      .send({ error: status < 500 ? 'ILLEGAL_ARGUMENT' : 'INTERNAL', message: messageOf(error) })
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
  PEER_REFUSED: 403,
}
