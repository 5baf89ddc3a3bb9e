import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProgram } from '../program.ts'
import { temporaryDirectory } from '../up/launched.test-kit.ts'

let directory: ReturnType<typeof temporaryDirectory>
let told = ''

beforeEach(() => {
  directory = temporaryDirectory()
  told = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((told += String(text)), true))
})

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = 0
  directory[Symbol.dispose]()
})

test('asked of a broker, which has an admin API and knows no cluster, it says whom to ask', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const token = join(directory.path, 'token')
  writeFileSync(token, 'the token of a cluster')
  const url = `http://127.0.0.1:${port}`
  await createProgram().parseAsync(['doctor', '--url', url, '--token-file', token], { from: 'user' })
  server.closeAllConnections()
  server.close()
  expect(process.exitCode).toBe(1)
  expect(told).toContain('a broker where metadata-rpc is to be asked')
})
