import type { FastifyInstance } from 'fastify'
import type { ClusterView } from '../cluster-view.ts'

/** Open to everyone: is the process alive, does the cluster work, what do the numbers say. */
export function healthRoutes(
  app: FastifyInstance,
  cluster: ClusterView,
  metricsText: () => Promise<string>,
): void {
  app.get('/healthz', () => ({ status: 'ok' }))

  app.get('/readyz', (_request, reply) => {
    const problems = cluster.problems()
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems })
  })

  app.get('/metrics', async (_request, reply) => {
    const text = await metricsText()
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}
