import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeFiles, readSecretFile } from './index.ts'
import { readSmallFile } from './small-file.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tandemmq-small-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Everything that can lie where a small file belongs, and is none. */
function strangers(): readonly string[] {
  const [sparse, inside, pipe, loop] = ['sparse', 'inside', 'pipe', 'loop'].map((name) =>
    join(directory, name),
  )
  if (sparse === undefined || inside === undefined || pipe === undefined || loop === undefined) return []
  writeFileSync(sparse, '')
  truncateSync(sparse, 10 * 2 ** 30)
  mkdirSync(inside)
  symlinkSync(loop, loop)
  const isPipe = spawnSync('mkfifo', [pipe]).status === 0
  return [sparse, inside, loop, '/dev/zero', ...(isPipe ? [pipe] : [])]
}

test('a secret is read whole, through a link too, and nothing but a small plain file is one', () => {
  const path = join(directory, 'secret')
  writeFileSync(path, `${'s'.repeat(32)}\n`)
  const link = join(directory, 'link')
  symlinkSync(path, link)
  expect(readSecretFile('setSecretFile', link)?.toString()).toBe('s'.repeat(32))
  for (const stranger of [...strangers(), join(directory, 'nowhere')]) {
    expect(() => readSecretFile('setSecretFile', stranger), stranger).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(stranger) }),
    )
  }
  writeFileSync(path, 'short')
  expect(() => readSecretFile('setSecretFile', path)).toThrow('at least 16 characters')
})

test('a small file may be exactly as long as allowed', () => {
  const path = join(directory, 'file')
  writeFileSync(path, 'x'.repeat(100))
  expect(readSmallFile(path, 100)).toHaveLength(100)
  expect(() => readSmallFile(path, 99)).toThrow('larger than 99 bytes')
})

test('files of a store are plain files: a pipe does not hold anybody up, a directory is told as one', () => {
  const files = new NodeFiles()
  for (const stranger of strangers().slice(1)) {
    for (const mode of ['read', 'read-write'] as const) {
      expect(() => files.open(stranger, mode), `${mode} ${stranger}`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(EISDIR|EINVAL|ELOOP)$/) }),
      )
    }
  }
})

test('a failed call on an open file names the file', () => {
  const path = join(directory, 'plain')
  writeFileSync(path, 'x')
  const file = new NodeFiles().open(path, 'read')
  expect(() => file.write(Buffer.from('y'), 0)).toThrow(expect.objectContaining({ code: 'EBADF', path }))
  expect(() => file.truncate(0)).toThrow(path)
  file.close()
})
