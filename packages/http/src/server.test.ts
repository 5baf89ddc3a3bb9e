import { BrokerError, type Readiness } from '@tandemmq/base'
import { RecordingMeter } from '@tandemmq/testkit'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpParts } from './http-parts.ts'
import { startHttpServer, type HttpServerOptions } from './server.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const ready: Readiness = { ready: true, problems: [] }

async function serve(
  parts: Partial<HttpParts> = {},
  options: Partial<HttpServerOptions> = {},
): Promise<number> {
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, ...options },
    { readiness: () => ready, metricsText: () => Promise.resolve('up 1\n'), ...parts },
  )
  closing.push(() => server.close())
  return server.port
}

function get(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`)
}

/** Resolves when the socket is closed, also by a reset. */
function gone(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe('what every service answers', () => {
  test('is alive, ready or not with the checks that fail, and its numbers', async () => {
    let now: Readiness = ready
    const port = await serve({ readiness: () => now })
    expect((await get(port, '/readyz')).status).toBe(200)
    now = { ready: false, problems: [{ check: 'in_sync', message: 'no slave' }] }
    const answer = await get(port, '/readyz')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toEqual(now)
    expect((await get(port, '/healthz')).status).toBe(200)
    const metrics = await get(port, '/metrics')
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toBe('up 1\n')
  })

  test('has come up once it was ready, also when that is over', async () => {
    const notReady: Readiness = { ready: false, problems: [{ check: 'in_sync', message: 'no slave' }] }
    let now = notReady
    const port = await serve({ readiness: () => now })
    const before = await get(port, '/startupz')
    expect(before.status).toBe(503)
    expect(await before.json()).toEqual(notReady)
    now = ready
    expect((await get(port, '/readyz')).status).toBe(200)
    now = notReady
    const after = await get(port, '/startupz')
    expect(after.status).toBe(200)
    expect(await after.json()).toEqual(notReady)
  })

  test('an operating error is its code and words, another failure is 500, no route is 404', async () => {
    const port = await serve({
      readiness: () => {
        throw new Error('a bug')
      },
      routes: (app) => {
        app.get('/refused', () => {
          throw new BrokerError('TOPIC_NOT_FOUND', 'there is no topic X')
        })
      },
    })
    const refused = await get(port, '/refused')
    expect(refused.status).toBe(404)
    expect(await refused.json()).toEqual({ error: 'TOPIC_NOT_FOUND', message: 'there is no topic X' })
    expect((await get(port, '/readyz')).status).toBe(500)
    expect((await get(port, '/nothing')).status).toBe(404)
  })

  test('who sends something else than JSON is told what to send', async () => {
    const port = await serve({ routes: (app) => void app.post('/taken', () => ({})) })
    const body = new URLSearchParams({ to: 'broker-a-1' })
    const answer = await fetch(`http://127.0.0.1:${port}/taken`, { method: 'POST', body })
    expect([answer.status, await answer.json()]).toEqual([
      415,
      { error: 'ILLEGAL_ARGUMENT', message: 'send JSON, with "Content-Type: application/json"' },
    ])
  })

  test('what cannot be loaded now is tried again with the next request', async () => {
    let attempts = 0
    const port = await serve({
      routes: () => {
        attempts += 1
        if (attempts === 1) throw new Error('EMFILE')
      },
    })
    expect((await get(port, '/healthz')).status).toBe(503)
    expect((await get(port, '/healthz')).status).toBe(200)
  })

  test('the port is taken', async () => {
    const port = await serve()
    await expect(serve({}, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('hostile peers', () => {
  test('of too many silent connections the oldest makes room, and one that asks is answered', async () => {
    const meter = new RecordingMeter()
    const port = await serve({ meter }, { connectionsMax: 3 })
    const oldest = await connected(port)
    const others = [await connected(port), await connected(port)]
    const evicted = once(oldest, 'close')
    expect((await get(port, '/healthz')).status).toBe(200)
    await evicted
    expect(others.map(({ closed }) => closed)).toEqual([false, false])
    expect(meter.value('rocketmq_ha_connections_refused_total', { port: 'http' })).toBe(1)
  })

  test('a connection whose answer is being made stays, before any that is silent or has sent half of its request', async () => {
    const answer = Promise.withResolvers<string>()
    const asked = Promise.withResolvers<void>()
    const port = await serve(
      {
        metricsText: () => {
          asked.resolve()
          return answer.promise
        },
        routes: (app) => {
          app.post('/taken', () => ({}))
        },
      },
      { connectionsMax: 2 },
    )
    const scrape = get(port, '/metrics')
    await asked.promise
    const half = await connected(port)
    half.write(
      'POST /taken HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n',
    )
    // The head has arrived; the body never will.
    await once(half, 'data')
    const evicted = gone(half)
    await connected(port)
    await evicted
    answer.resolve('up 1\n')
    expect(await (await scrape).text()).toBe('up 1\n')
  })

  test('a connection that was answered and is kept makes room too', async () => {
    const port = await serve({}, { connectionsMax: 1 })
    const kept = await connected(port)
    kept.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
    await once(kept, 'data')
    const evicted = gone(kept)
    await connected(port)
    await evicted
  })

  test('if every connection waits for its answer, the oldest makes room', async () => {
    const asked = Promise.withResolvers<void>()
    let waiting = 0
    const metricsText = (): Promise<string> => {
      waiting += 1
      if (waiting === 2) asked.resolve()
      return new Promise(() => {})
    }
    const port = await serve({ metricsText }, { connectionsMax: 2 })
    const endless = [await connected(port), await connected(port)]
    for (const socket of endless) socket.write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n')
    const evicted = Promise.race(endless.map(gone))
    await asked.promise
    expect((await get(port, '/healthz')).status).toBe(200)
    await evicted
  })

  test('a connection that says nothing, or takes nothing of its answer, is hung up on', async () => {
    const hungUp = Promise.withResolvers<void>()
    const port = await serve(
      {
        routes: (app) => {
          app.get('/large', (request) => {
            request.raw.socket.once('close', () => hungUp.resolve())
            return 'x'.repeat(32 * 1024 * 1024)
          })
        },
      },
      { silenceMs: 50 },
    )
    const mute = await connected(port)
    await once(mute.resume(), 'close')
    const deaf = await connected(port)
    deaf.pause()
    deaf.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n')
    await hungUp.promise
  })

  test('requests that do not wait for their answers are not served: one answer, and the end', async () => {
    let scrapes = 0
    const metricsText = (): Promise<string> => {
      scrapes += 1
      return Promise.resolve('up 1\n')
    }
    const port = await serve({ metricsText })
    const hasty = await connected(port)
    hasty.resume().write('GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(1_000))
    await gone(hasty)
    expect(scrapes).toBeLessThanOrEqual(1)
    const patient = await connected(port)
    for (const answered of [1, 2]) {
      patient.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')
      expect(String(await once(patient, 'data')), `${answered}`).toContain('200 OK')
    }
  })

  test('a head that is too long is refused', async () => {
    const port = await serve()
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { long: 'x'.repeat(10_000) } })
    expect(answer.status).toBe(431)
  })
})
