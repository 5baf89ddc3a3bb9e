import { BrokerError } from '@tandemmq/base'
import type { PromotionRequest } from '@tandemmq/registry'
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

function promotion(url: string, set: string, body: string): Promise<Response> {
  return fetch(`${url}/api/v1/sets/${set}/promote`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
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
      '{"name":"Orders","queue":4}',
      '{"name":"Orders","queues":"4"}',
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

  test('says that there is no such set', async () => {
    const unknown = new BrokerError('SET_NOT_FOUND', 'there is no broker set broker-a')
    const url = await serve(clusterWith({ promote: () => Promise.reject(unknown) }))
    const answer = await fetch(`${url}/api/v1/sets/broker-a/promote`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: 'SET_NOT_FOUND' })
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

  describe('promotes', () => {
    test('only with the words that were said, and answers who is master, from which epoch on, and why', async () => {
      const asked: PromotionRequest[] = []
      const done = { set: 'broker-a', master: 'broker-a-1', epoch: 103, words: 'it holds all of the log' }
      const url = await serve(
        clusterWith({
          promote: (request) => {
            asked.push(request)
            return Promise.resolve(done)
          },
        }),
      )
      const answer = await promotion(url, 'broker-a', '{}')
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual(done)
      await promotion(url, 'broker-a', '{"to":"broker-a-1","oldMasterIsOff":true,"acceptLoss":true}')
      expect(asked).toEqual([
        { set: 'broker-a', oldMasterIsOff: false, acceptLoss: false },
        { set: 'broker-a', oldMasterIsOff: true, acceptLoss: true, to: 'broker-a-1' },
      ])
      for (const bad of ['{"to":"../etc"}', '{"oldMasterIsOff":"perhaps"}', '{"acceptLoss":"yes"}', '']) {
        expect((await promotion(url, 'broker-a', bad)).status, bad).toBe(400)
      }
      expect(asked).toHaveLength(2)
    })

    test.each([
      ['NOT_WRITABLE', 'the master broker-a-0 does not answer: --old-master-is-off'],
      ['UNAVAILABLE', '/data/registry cannot be written: no space'],
    ] as const)('or passes on why not: %s', async (code, words) => {
      const url = await serve(clusterWith({ promote: () => Promise.reject(new BrokerError(code, words)) }))
      const answer = await promotion(url, 'broker-a', '{}')
      expect(answer.ok).toBe(false)
      expect(await answer.json()).toEqual({ error: code, message: words })
    })

    test('nobody without the token', async () => {
      const url = await serve(
        clusterWith({ promote: () => Promise.reject(new Error('it was asked')) }),
        'secret',
      )
      expect((await promotion(url, 'broker-a', '{}')).status).toBe(401)
    })
  })
})
