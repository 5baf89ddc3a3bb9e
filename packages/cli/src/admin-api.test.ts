import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AdminApi } from './admin-api.ts'
import { temporaryDirectory } from './up/launched.test-kit.ts'

let directory: ReturnType<typeof temporaryDirectory>
const servers: Server[] = []

beforeEach(() => {
  directory = temporaryDirectory()
})

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  directory[Symbol.dispose]()
})

async function answering(answer: (response: ServerResponse) => void): Promise<AdminApi> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const tokenFile = join(directory.path, 'token')
  writeFileSync(tokenFile, 'a secret of sixteen', { mode: 0o600 })
  return AdminApi.find({ data: directory.path, url: `http://127.0.0.1:${port}`, tokenFile })
}

test('a refusal has the code and the words of the service, whatever its HTTP status', async () => {
  for (const [status, error] of [
    [404, 'SET_NOT_FOUND'],
    [409, 'PROMOTION_REFUSED'],
    [503, 'NOT_WRITABLE'],
  ] as const) {
    const api = await answering((response) =>
      response.writeHead(status).end(JSON.stringify({ error, message: 'a "sentence"' })),
    )
    await expect(api.ask('/x', {})).rejects.toMatchObject({ code: error, message: 'a "sentence"' })
  }
})

test('what is no refusal of ours says who answers what', async () => {
  const broken = await answering((response) => response.writeHead(502).end('<html>'))
  await expect(broken.ask('/x')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/^http:\S+ answers 502: <html>$/),
  })
  const elsewhere = await answering((response) => response.writeHead(404).end('{"error":"NOT_FOUND"}'))
  await expect(elsewhere.ask('/x')).rejects.toMatchObject({
    code: 'ILLEGAL_ARGUMENT',
    message: expect.stringContaining('knows nothing of /x'),
  })
  const page = await answering((response) => response.end('<html>'))
  await expect(page.ask('/x')).rejects.toMatchObject({
    message: expect.stringContaining('its answer is no JSON'),
  })
})

test('an answer that breaks off leaves open whether what was asked for was done, and a question for what is does not', async () => {
  const api = await answering((response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{')
    setImmediate(() => response.destroy())
  })
  const words = 'It may have done it all the same'
  await expect(api.ask('/x', {})).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(words),
  })
  await expect(api.ask('/x')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.not.stringContaining(words),
  })
})

test('who does not answer in time is not waited for', async () => {
  const api = await answering(() => undefined)
  await expect(api.ask('/x', undefined, 50)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
