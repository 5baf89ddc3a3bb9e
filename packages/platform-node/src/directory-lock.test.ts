import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, type Logger } from '@tandemmq/base'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DirectoryLock } from './directory-lock.ts'

let directory = ''
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'tandemmq-lock-')), 'data')
})
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }))

const source = new URL('./directory-lock.ts', import.meta.url).href

/** Another process that holds the lock until it is killed. */
async function holder(command: string): Promise<ReturnType<typeof spawn>> {
  const script = `
    import { DirectoryLock } from ${JSON.stringify(source)}
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    globalThis.held = DirectoryLock.acquire(${JSON.stringify(directory)}, { logger, command: ${JSON.stringify(command)} })
    setInterval(() => {}, 1_000)
    console.log('held')`
  const child = spawn(
    process.execPath,
    ['--conditions=@tandemmq/source', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  )
  const [first] = await once(child.stdout, 'data')
  expect(String(first)).toBe('held\n')
  return child
}

const hasFlock = spawnSync('flock', ['--version']).status === 0

describe.each(hasFlock ? ['flock', 'no-such-command'] : ['no-such-command'])('with %s', (command) => {
  test('one holder per directory, until it releases', () => {
    const first = DirectoryLock.acquire(directory, { logger: silentLogger, command })
    expect(() => DirectoryLock.acquire(directory, { logger: silentLogger, command })).toThrow(
      expect.objectContaining({ code: 'STORE_LOCKED', message: expect.stringContaining(directory) }),
    )
    first.release()
    first.release()
    DirectoryLock.acquire(directory, { logger: silentLogger, command }).release()
  })

  test('the kernel releases what a killed process held', async () => {
    const child = await holder(command)
    expect(() => DirectoryLock.acquire(directory, { logger: silentLogger, command })).toThrow(
      /another process/,
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    DirectoryLock.acquire(directory, { logger: silentLogger, command }).release()
  })
})

test('a missing command is said aloud', () => {
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_facts, message) => warnings.push(message) }
  DirectoryLock.acquire(directory, { logger, command: 'no-such-command' }).release()
  expect(warnings).toEqual([expect.stringContaining('flock command is missing')])
})
