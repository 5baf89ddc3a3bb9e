import { BrokerError } from '@tandemmq/base'
import { afterEach, describe, expect, test } from 'vitest'
import { startHttpServer } from '@tandemmq/http'
import { adminRoutes } from './admin-routes.ts'
import type { ClusterView, NewTopic } from './cluster-view.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function clusterWith(over: Partial<ClusterView>): ClusterView {
  return {
    sets: () => [],
    replication: () => [],
    topics: () => [],
    topic: () => undefined,
    groups: () => [],
    group: () => undefined,
    createTopic: () => Promise.resolve(),
    createGroup: () => Promise.resolve(),
    promote: () => Promise.reject(new BrokerError('PROMOTION_REFUSED', 'not now')),
    problems: () => [],
    readiness: () => ({ ready: true, problems: [] }),
    ...over,
  }
}

async function serve(cluster: ClusterView, adminToken?: string): Promise<string> {
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0 },
    {
      readiness: () => cluster.readiness(),
      metricsText: () => Promise.resolve(''),
      routes: (app) => adminRoutes(app, cluster, adminToken),
    },
  )
  closing.push(() => server.close())
  return `http://127.0.0.1:${server.port}`
}

describe('the admin API', () => {
  test('creates a topic, and refuses names that are none', async () => {
    const created: NewTopic[] = []
    const url = await serve(
      clusterWith({
        createTopic: (topic) => {
          created.push(topic)
          return Promise.resolve()
        },
      }),
    )
    const post = (body: string): Promise<Response> =>
      fetch(`${url}/api/v1/topics`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect((await post('{"name":"Orders","queues":4}')).status).toBe(201)
    expect(created).toEqual([{ name: 'Orders', queues: 4 }])
    for (const bad of [
      '{"name":"../etc"}',
      '{"name":"a\\u0000b"}',
      `{"name":"${'x'.repeat(300)}"}`,
      '{}',
      '{"name":"Оrders"}',
    ]) {
      expect((await post(bad)).status, bad).toBe(400)
    }
    expect((await post('{"name":"X","__proto__":{"queues":1}}')).status).toBe(400)
    expect((await post('not json')).status).toBe(400)
    expect((await post(`{"name":"${'x'.repeat(100_000)}"}`)).status).toBe(413)
    expect(created).toHaveLength(1)
  })

  test('passes an operating error on as its code and words', async () => {
    const url = await serve(
      clusterWith({
        createTopic: () =>
          Promise.reject(new BrokerError('NO_WRITABLE_BROKER', 'broker-a has no master now')),
      }),
    )
    const answer = await fetch(`${url}/api/v1/topics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"Orders"}',
    })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({
      error: 'NO_WRITABLE_BROKER',
      message: 'broker-a has no master now',
    })
  })

  test('says a refused promotion as a conflict: nothing is wrong with this service, and asking again changes nothing', async () => {
    const url = await serve(clusterWith({}))
    const answer = await fetch(`${url}/api/v1/sets/broker-a/promote`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(answer.status).toBe(409)
    expect(await answer.json()).toEqual({ error: 'PROMOTION_REFUSED', message: 'not now' })
  })

  test('keeps the admin API behind its token, and health open', async () => {
    const url = await serve(clusterWith({}), 'secret')
    expect((await fetch(`${url}/api/v1/cluster`)).status).toBe(401)
    expect(
      (await fetch(`${url}/api/v1/cluster`, { headers: { authorization: 'Bearer wrong' } })).status,
    ).toBe(401)
    expect(
      (await fetch(`${url}/api/v1/cluster`, { headers: { authorization: 'Bearer secret' } })).status,
    ).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })
})
