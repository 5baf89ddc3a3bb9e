import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { createProgram } from '../program.ts'

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = 0
})

const directory = mkdtempSync(join(tmpdir(), 'tandemmq-promote-'))
const token = join(directory, 'admin-token')
writeFileSync(token, 'a secret of sixteen', { mode: 0o600 })
afterAll(() => rmSync(directory, { recursive: true }))

/** What `promote` says on standard error, its exit code being 1. */
async function complaint(...flags: readonly string[]): Promise<string> {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  said.mockClear()
  await createProgram().parseAsync(['node', 'tandemmq', 'promote', '--set', 'broker-a', ...flags])
  expect(process.exitCode).toBe(1)
  return said.mock.calls.map(([text]) => String(text)).join('')
}

/** A port where every request ends in `meet`. */
async function listening(meet: (socket: Socket) => void) {
  const server = createServer((socket) => void socket.once('data', () => meet(socket))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() }
}

test('nobody listens: nothing was asked, and the reason of the system is said', async () => {
  const { url, [Symbol.dispose]: close } = await listening(() => undefined)
  close()
  expect(await complaint('--url', url, '--token-file', token)).toMatch(
    /^broker-a: nobody answers at \S+: is the cluster running\? \(connect ECONNREFUSED \S+\)\n$/,
  )
})

test('a connection that breaks after the question leaves open whether it was done', async () => {
  using service = await listening((socket) => socket.destroy())
  expect(await complaint('--url', service.url, '--token-file', token)).toContain(
    'It may have done it all the same: look before',
  )
})

test('a token that is not accepted, and an address that is none, say which flag to mend', async () => {
  using service = await listening((socket) =>
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}'),
  )
  expect(await complaint('--url', service.url, '--token-file', token)).toContain('--token-file')
  expect(await complaint('--url', 'nonsense')).toContain(
    'broker-a was not given another master: --url nonsense is no address of a service',
  )
  expect(await complaint('--data', directory)).toContain('no cluster was started in')
})
