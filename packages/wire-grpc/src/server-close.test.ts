import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { connect } from 'node:net'
import { silentLogger } from '@tandemmq/base'
import { afterEach, expect, test } from 'vitest'
import { echo, realClock, until } from './loopback.test-support.ts'
import { GrpcServer } from './server.ts'

type Reply = (error: null, answer: Buffer) => void

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Answers each call when it is told to. */
async function held(): Promise<{ server: GrpcServer; port: number; answers: (() => void)[] }> {
  const answers: (() => void)[] = []
  const server = new GrpcServer({ clock: realClock, logger: silentLogger })
  server.add(echo, {
    Echo: ({ request }: { request: Buffer }, done: Reply) => answers.push(() => done(null, request)),
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  cleanups.push(() => server.close())
  return { server, port, answers }
}

/** The gRPC status of one call; rejects if its stream is refused or breaks. */
function ask(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Echo/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const status = new Promise<string>((resolve, reject) => {
    stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])))
    stream.on('error', reject)
    stream.on('close', () => reject(new Error(`the stream was closed with ${stream.rstCode}`)))
  })
  status.catch(() => undefined)
  stream.resume()
  stream.end(Buffer.from([0, 0, 0, 0, 1, 7]))
  return status
}

test('who has not said who they are when a close begins is hung up on at once, whatever is still under way', async () => {
  const { server, port, answers } = await held()
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  cleanups.push(() => session.destroy())
  const call = ask(session)
  const stranger = connect(port, '127.0.0.1')
  stranger.on('error', () => {})
  await until(() => answers.length === 1 && server.connections === 2)
  const closed = server.close(AbortSignal.timeout(10_000))
  await once(stranger, 'close')
  expect(server.connections).toBe(1)
  for (const answer of answers) answer()
  expect(await call).toBe('0')
  await closed
})
