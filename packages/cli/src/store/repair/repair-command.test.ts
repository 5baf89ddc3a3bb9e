import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@tandemmq/base'
import { DirectoryLock } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { OwnDirectory } from '../own-store.test-kit.ts'
import { LOG, bodies, change, copyOf, whole } from './repair.test-kit.ts'

const main = new URL('../../main.ts', import.meta.url).pathname

function tandemmq(...words: string[]): {
  readonly status: number | null
  readonly out: string
  readonly err: string
} {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@tandemmq/source', main, 'store', ...words],
    { encoding: 'utf8' },
  )
  return { status, out: stdout, err: stderr }
}

test('from damage to a store that opens, by the command alone', async () => {
  using own = await OwnDirectory.closed()
  const root = copyOf(own.root)
  change(root, LOG, (bytes) => bytes.fill(0xee, 700, 720))
  change(root, 'consumequeue/orders/1/00000000000000000000', (bytes) => bytes.fill(7, 40, 45))

  const verified = tandemmq('verify', root)
  expect(verified.status).toBe(1)
  expect(verified.out).toContain(
    `problem: ${LOG} at byte 520: the body of the record at log offset 66056 has another checksum`,
  )

  const unsaid = tandemmq('repair', root)
  expect(unsaid.status).toBe(1)
  expect(unsaid.out).toContain(
    'Nothing can be done yet:\n  not repaired: the log is damaged from 66056 on: say who has its bytes',
  )

  const planned = tandemmq('repair', root, '--from-store', own.root)
  expect(planned.status).toBe(1)
  expect(planned.out).toMatch(
    /To be done:\n {2}1\. fetch the log's bytes \[66056, 66576\) from the store in /,
  )
  expect(planned.out).toMatch(/ {2}3\. open the store, as a broker does, and close it\nNothing was changed\./)
  expect(readFileSync(join(root, LOG))[710]).toBe(0xee)

  const json: unknown = JSON.parse(tandemmq('repair', root, '--from-store', own.root, '--json').out)
  expect(json).toMatchObject({ isDone: false, steps: [{ kind: 'fetch', from: 66_056, to: 66_576 }, {}, {}] })

  const done = tandemmq('repair', root, '--from-store', own.root, '--yes')
  expect(done.out).toMatch(/doing 1 …\ndoing 2 …\ndoing 3 …\nDone; nothing is wrong any more\.\n$/)
  expect(done.status).toBe(0)
  expect(tandemmq('verify', root).status).toBe(0)
  expect(await bodies(root, 1)).toEqual(whole(1))
}, 60_000)

test('no store that a process has open, no directory without one, no two answers at once', async () => {
  using own = await OwnDirectory.closed()
  const lock = DirectoryLock.acquire(own.root, { logger: silentLogger })
  const locked = tandemmq('repair', own.root)
  lock.release()
  expect(locked).toMatchObject({ status: 2, out: '' })
  expect(locked.err).toContain('another process')
  expect(tandemmq('repair', join(own.root, 'index'))).toMatchObject({ status: 2 })
  expect(tandemmq('repair', own.root, '--cut', '--from-store', own.root)).toMatchObject({ status: 2 })
  expect(tandemmq('repair', own.root, '--range', '1-2')).toMatchObject({ status: 2 })
  expect(tandemmq('verify', join(own.root, 'index'))).toMatchObject({ status: 2 })
}, 60_000)
