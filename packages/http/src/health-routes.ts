import type { Readiness } from '@tandemmq/base'
import type { FastifyInstance } from 'fastify'
import type { HttpParts } from './http-parts.ts'

/** Open to everyone: is the process alive, has it come up, does it do its work now, what do the numbers say. */
export function healthRoutes(app: FastifyInstance, { readiness, metricsText }: HttpParts): void {
  app.get('/healthz', () => ({ status: 'ok' }))

  /** Whoever asks, and for whichever of the two. */
  let hasBeenReady = false
  const ask = (): Readiness => {
    const now = readiness()
    hasBeenReady ||= now.ready
    return now
  }
  app.get('/startupz', (_request, reply) => {
    const now = ask()
    return reply
      .code(hasBeenReady ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(now)
  })

  app.get('/readyz', (_request, reply) => {
    const now = ask()
    return reply
      .code(now.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(now)
  })

  app.get('/metrics', async (_request, reply) => {
    const text = await metricsText()
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}
