import { createServer, type Server } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProgram } from '../program.ts'
import { temporaryDirectory } from '../up/launched.test-kit.ts'

const TOKEN = 'a token of the cluster'

let directory: ReturnType<typeof temporaryDirectory>
const servers: Server[] = []
let asked: string[] = []
let said = { out: '', err: '' }

/** A broker's admin API: of its set, with the replicas that it remembers. */
async function broker(name: string, set: string, role: string, replicas: readonly string[]): Promise<void> {
  const server = createServer((request, response) => {
    asked.push(`${name} ${request.method} ${request.url}`)
    const view = { members: [{ set, role, replicas: replicas.map((identity) => ({ identity })) }] }
    const isRefused = request.url?.includes('broker-a-1') === true
    const refusal = {
      error: 'ILLEGAL_ARGUMENT',
      message: 'broker-a-1 is connected from 10.0.0.1:42: stop it first',
    }
    const answer = request.method === 'GET' ? view : isRefused ? refusal : { roster: ['broker-a-1'] }
    response.writeHead(request.method !== 'GET' && isRefused ? 400 : 200).end(JSON.stringify(answer))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  writeFileSync(join(directory.path, 'conf', `${name}.conf`), `listenAddress=127.0.0.1\nhttpPort=${port}\n`)
}

beforeEach(async () => {
  directory = temporaryDirectory()
  mkdirSync(join(directory.path, 'conf'))
  writeFileSync(join(directory.path, 'conf', 'admin-token'), `${TOKEN}\n`)
  await broker('broker-master', 'broker-a', 'master', ['broker-a-1', 'broker-a-2'])
  await broker('broker-slave', 'broker-a', 'slave', [])
  await broker('broker-b-master', 'broker-b', 'master', ['broker-b-1'])
  asked = []
  said = { out: '', err: '' }
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true))
})

afterEach(() => {
  vi.restoreAllMocks()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  process.exitCode = 0
  directory[Symbol.dispose]()
})

async function forget(...words: readonly string[]): Promise<unknown> {
  process.exitCode = 0
  const flags = ['--data', directory.path]
  await createProgram().parseAsync(['node', 'tandemmq', 'replica', 'forget', ...words, ...flags])
  return process.exitCode
}

test('the master that remembers the replica is told to forget it, and nobody else', async () => {
  expect(await forget('broker-a-2')).toBe(0)
  expect(said).toEqual({ out: 'broker-a: broker-a-2 is forgotten; remembered: broker-a-1\n', err: '' })
  expect(asked.filter((line) => !line.includes('GET'))).toEqual([
    'broker-master POST /api/v1/replicas/broker-a-2/forget',
  ])
  said.out = ''
  expect(await forget('broker-a-2', '--json')).toBe(0)
  expect(JSON.parse(said.out)).toEqual({ set: 'broker-a', forgotten: 'broker-a-2', roster: ['broker-a-1'] })
})

test('what nobody remembers, and what its master refuses, is said with exit code 1', async () => {
  expect(await forget('broker-c-1')).toBe(1)
  expect(said.err).toBe(
    'no master that runs remembers broker-c-1: remembered are broker-a-1, broker-a-2, broker-b-1\n',
  )
  expect(asked.filter((line) => !line.includes('GET'))).toEqual([])
  said.err = ''
  expect(await forget('broker-a-1')).toBe(1)
  expect(said.err).toContain('broker-a-1 is connected from 10.0.0.1:42: stop it first')
  expect(said.out).toBe('')
})
