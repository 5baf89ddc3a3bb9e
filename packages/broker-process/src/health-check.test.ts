import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { silentLogger } from '@tandemmq/base'
import { writeAddressFile } from '@tandemmq/platform-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBroker } from './start-broker.ts'

const execute = promisify(execFile)
let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'health-check-'))
  file = join(directory, 'http-address')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What the images' health check says; rejects where that is no good health. */
async function check(): Promise<string> {
  const script = join(import.meta.dirname, '../../../docker/health.cjs')
  return (await execute(process.execPath, [script, file])).stdout
}

test('the health check of an image finds a broker at whichever port', async () => {
  await expect(check()).rejects.toMatchObject({ stdout: expect.stringContaining('no such file') })
  const broker = await startBroker('master', {
    arguments: [
      'grpcPort=0',
      'httpPort=0',
      'haListenPort=0',
      'createLog=true',
      'logLevel=error',
      `storePathRootDir=${join(directory, 'store')}`,
      `httpAddressFile=${file}`,
    ],
    environment: {},
  })
  try {
    await broker.ready
    expect(JSON.parse(await check())).toMatchObject({ ready: true })
  } finally {
    await broker.close()
  }
  await expect(check()).rejects.toMatchObject({ stdout: expect.stringContaining('ECONNREFUSED') })
})

test('the health check asks on loopback what listens everywhere, and what the status says counts', async () => {
  let status = 503
  const server = createServer((request, answer) => answer.writeHead(status).end(request.url))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  try {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    writeAddressFile(file, `0.0.0.0:${port}`, silentLogger)
    await expect(check()).rejects.toMatchObject({ code: 1, stdout: '/startupz' })
    status = 200
    expect(await check()).toBe('/startupz')
  } finally {
    server.close()
  }
})
