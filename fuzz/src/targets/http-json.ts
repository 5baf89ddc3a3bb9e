import { request } from 'node:http'
import { BrokerError } from '@tandemmq/base'
import { startHttpServer, type HttpServer } from '@tandemmq/http'
import { adminRoutes, type ClusterView } from '@tandemmq/metadata-rpc'
import { claim } from '../engine/claim.ts'
import { isSafeName } from '../engine/safe-name.ts'
import type { Target } from '../target.ts'

/** What the routes have made; the names of the last request. */
const created: string[] = []

const cluster: ClusterView = {
  sets: () => [],
  replication: () => [],
  topics: () => [],
  topic: () => undefined,
  groups: () => [],
  group: () => undefined,
  createTopic: async ({ name, queues = 1, type = 'NORMAL' }) => {
    claim(isSafeName(name), `a topic ${JSON.stringify(name)}`)
    claim(Number.isInteger(queues) && queues >= 1 && queues <= 1024, `${queues} queues`)
    claim(typeof type === 'string', 'a type is a word')
    created.push(name)
  },
  createGroup: async ({ name, retryMaxTimes = 0 }) => {
    claim(isSafeName(name), `a group ${JSON.stringify(name)}`)
    claim(Number.isInteger(retryMaxTimes) && retryMaxTimes >= 0, `${retryMaxTimes} tries`)
    created.push(name)
  },
  promote: () => Promise.reject(new BrokerError('PROMOTION_REFUSED', 'not here')),
  readiness: () => ({ ready: true, problems: [] }),
  problems: () => [],
}

let server: Promise<HttpServer> | undefined

/** The body of a request to the HTTP API that makes a topic (the first byte is even) or a group. */
export const httpJson: Target = {
  name: 'http-json',
  holds:
    'made with a name of the whitelist and numbers in range, or refused with a 4xx in JSON that says why; never a 5xx; no prototype is ever touched',
  isCostly: true,
  allocation: { baseBytes: 16 * 1024 * 1024, perInputByte: 64 },
  async run(input) {
    server ??= startHttpServer(
      { host: '127.0.0.1', port: 0 },
      {
        readiness: () => cluster.readiness(),
        metricsText: async () => '',
        routes: (app) => adminRoutes(app, cluster, undefined),
      },
    )
    const { port } = await server
    const path = (input[0] ?? 0) % 2 === 0 ? '/api/v1/topics' : '/api/v1/groups'
    created.length = 0
    const { status, text } = await post(port, path, input.subarray(1))
    claim(!('polluted' in {}), 'the prototype of objects is as it was')
    claim(status === 201 || (status >= 400 && status < 500), `status ${status}: ${text.slice(0, 200)}`)
    const answer: unknown = JSON.parse(text)
    claim(typeof answer === 'object' && answer !== null, 'an answer is an object')
    claim((status === 201) === (created.length === 1), `status ${status}, made ${created.length}`)
    claim(status === 201 || ('error' in answer && 'message' in answer), 'a refusal says why')
    return status === 201 ? 'taken' : 'refused'
  },
}

function post(
  port: number,
  path: string,
  body: Buffer,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const call = request(
      { port, path, method: 'POST', headers, host: '127.0.0.1', agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', reject)
      },
    )
    // A body that is too long is refused before all of it was sent.
    call.on('error', (error) => ('code' in error && error.code === 'EPIPE' ? undefined : reject(error)))
    call.end(body)
  })
}
