import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { silentMeter } from '@tandemmq/base'
import type { FastifyInstance } from 'fastify'
import { ConnectionLimit } from './connection-limit.ts'
import type { HttpParts } from './http-parts.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Connections at a time, default 128. */
  readonly connectionsMax?: number
  /** A connection on which nothing moves for this long is closed, ms; default 10 000. */
  readonly silenceMs?: number
}

export interface HttpServer {
  /** The port that was bound. */
  readonly port: number
  /** Ends all connections at once. */
  close(): Promise<void>
}

const CONNECTIONS_MAX = 128
/** A peer that sends nothing, or takes nothing of its answer, for this long is hung up on. */
const SILENCE_MS = 10_000
/** The head of a request must be complete within this, however steadily it drips. */
const HEAD_WITHIN_MS = 5_000
/** A request must be complete within this. */
const REQUEST_WITHIN_MS = 10_000
/** How often the two are looked after. */
const LOOK_EVERY_MS = 2_500
const HEAD_MAX_BYTES = 8 * 1024

/**
 * Health and metrics over HTTP, and what a service adds. Resolves once it listens; rejects with the system's error (`EADDRINUSE` …). What
 * answers is loaded with the first request: its modules would be a quarter of what metadata-rpc loads at its start, and most runs of a cluster on one
 * machine never ask.
 */
export async function startHttpServer(options: HttpServerOptions, parts: HttpParts): Promise<HttpServer> {
  let app: Promise<FastifyInstance> | undefined
  const load = async (): Promise<FastifyInstance> => {
    const { httpApp } = await import('./app.ts')
    return httpApp(parts)
  }
  /** Connections on which an answer is being made. */
  const busy = new WeakSet<Socket>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request
    // No client of today sends a request before it has the last answer. Thousands in one packet would hold up the whole process.
    if (busy.has(socket)) return void socket.destroy()
    busy.add(socket)
    response.once('close', () => busy.delete(socket))
    try {
      app ??= load()
      const loaded = await app
      loaded.routing(request, response)
    } catch {
      // No file descriptor or no memory was left to load with: the next request tries again.
      app = undefined
      response.writeHead(503, { connection: 'close' }).end()
    }
  }
  const server = createServer(
    {
      headersTimeout: HEAD_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
      maxHeaderSize: HEAD_MAX_BYTES,
    },
    (request, response) => void answer(request, response),
  )
  server.setTimeout(options.silenceMs ?? SILENCE_MS)
  const refused = (parts.meter ?? silentMeter).counter(
    'rocketmq_ha_connections_refused_total',
    'Connections of a port that were turned away, or closed for what their peer did, by reason.',
    ['port', 'reason'],
  )
  ConnectionLimit.on(server, options.connectionsMax ?? CONNECTIONS_MAX, () =>
    refused.add(1, { port: 'http', reason: 'crowded' }),
  )
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
      const loaded = await app?.catch(() => undefined)
      await loaded?.close()
    },
  }
}
