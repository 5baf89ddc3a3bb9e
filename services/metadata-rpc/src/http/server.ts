import { createServer } from 'node:http'
import type { ClusterView } from '../cluster-view.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Callers of `/api` must send it as `Authorization: Bearer …`; absent: the API is open. */
  readonly adminToken?: string
}

/** A connection that says nothing for this long is closed. */
const SILENCE_MS = 10_000
/** A request must be complete within this. */
const REQUEST_WITHIN_MS = 10_000

/**
 * Health, metrics and administration over HTTP. Resolves once it listens. What answers is loaded with the first request: its
 * modules would be a quarter of what this process loads at its start, and most runs of a cluster on one machine never ask.
 */
export async function startHttpServer(
  options: HttpServerOptions,
  cluster: ClusterView,
  metricsText: () => Promise<string>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  let app: ReturnType<typeof load> | undefined
  const load = async () => {
    const { httpApp } = await import('./app.ts')
    return httpApp(cluster, metricsText, options.adminToken)
  }
  const server = createServer({ requestTimeout: REQUEST_WITHIN_MS }, (request, response) => {
    app ??= load()
    void app.then((it) => it.routing(request, response))
  })
  server.setTimeout(SILENCE_MS)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await (await app)?.close()
    },
  }
}
