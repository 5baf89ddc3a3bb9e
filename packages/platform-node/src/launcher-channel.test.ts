import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { silentLogger } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { LauncherChannel, parseReadyLine } from './launcher-channel.ts'

const source = new URL('./launcher-channel.ts', import.meta.url).href

/** A service that says it is ready, then stays until its launcher is gone. */
const service = `
  import { LauncherChannel } from ${JSON.stringify(source)}
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const channel = LauncherChannel.fromEnvironment(process.env)
  const staying = setInterval(() => {}, 1_000)
  channel.onGone(() => { clearInterval(staying); process.exitCode = 7 })
  channel.ready({ service: 's', grpc: '127.0.0.1:1' }, logger)`

test('the launcher hears one line, and the service hears that the launcher is gone', async () => {
  const child = spawn(
    process.execPath,
    ['--conditions=@tandemmq/source', '--input-type=module', '--eval', service],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      cwd: import.meta.dirname,
      env: { ...process.env, TANDEMMQ_READY_FD: '3' },
    },
  )
  const line = child.stdio[3]
  if (line === undefined || line === null) throw new Error('the pipe is there')
  const [chunk] = await once(line, 'data')
  expect(JSON.parse(String(chunk))).toEqual({ ready: true, service: 's', grpc: '127.0.0.1:1' })
  line.destroy()
  const [code] = await once(child, 'exit')
  expect(code).toBe(7)
})

test('without a launcher there is no channel, and one that is gone is only logged', () => {
  expect(LauncherChannel.fromEnvironment({})).toBeUndefined()
  expect(LauncherChannel.fromEnvironment({ TANDEMMQ_READY_FD: 'x' })).toBeUndefined()
  const warnings: string[] = []
  const channel = LauncherChannel.fromEnvironment({ TANDEMMQ_READY_FD: '9999' })
  channel?.ready({ service: 's' }, { ...silentLogger, warn: (_facts, message) => warnings.push(message) })
  expect(warnings).toHaveLength(1)
})

test('only a ready line is one', () => {
  const line = '{"ready":true,"service":"s","grpc":"h:1","ha":7,"other":"x"}'
  expect(parseReadyLine(line)).toEqual({ service: 's', grpc: 'h:1' })
  expect(parseReadyLine('{"ready":true}')).toBeUndefined()
  expect(parseReadyLine('{"ready":false,"service":"s"}')).toBeUndefined()
  expect(parseReadyLine('ready')).toBeUndefined()
  expect(parseReadyLine('null')).toBeUndefined()
})
