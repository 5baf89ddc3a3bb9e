import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeFiles } from './node-files.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tandemmq-files-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const files = new NodeFiles()

test('what is written is read back at its position, also off the event loop, short only at the end', async () => {
  const file = files.open(join(directory, 'a'), 'create')
  file.truncate(8)
  file.write(Buffer.from('abc'), 6)
  expect(file.size()).toBe(9)
  const target = Buffer.alloc(16)
  expect(file.read(target, 0)).toBe(9)
  expect(target.subarray(0, 9)).toEqual(Buffer.from('\0\0\0\0\0\0abc'))
  const later = Buffer.alloc(2)
  expect(await file.readLater(later, 7)).toBe(2)
  expect(later.toString()).toBe('bc')
  expect(await file.readLater(later, 9)).toBe(0)
  await file.dataSync()
  file.close()
})

test('a file closed while a sync runs lets the sync finish and refuses everything after', async () => {
  const file = files.open(join(directory, 'a'), 'create')
  file.write(Buffer.alloc(1 << 20), 0)
  const syncing = file.dataSync()
  file.close()
  // Takes the descriptor's number at once if the close did not wait.
  const other = files.open(join(directory, 'b'), 'create')
  await expect(syncing).resolves.toBeUndefined()
  other.write(Buffer.from('b'), 0)
  expect(() => file.write(Buffer.from('x'), 0)).toThrow(/closed/)
  await expect(file.dataSync()).rejects.toMatchObject({ code: 'EBADF' })
  expect(other.size()).toBe(1)
  other.close()
  file.close()
})

test('errors carry the code of the system', () => {
  expect(() => files.open(join(directory, 'none'), 'read-write')).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  )
  files.open(join(directory, 'a'), 'create').close()
  expect(() => files.open(join(directory, 'a'), 'create')).toThrow(
    expect.objectContaining({ code: 'EEXIST' }),
  )
})

test('names: sorted lists, nothing for a directory that is not there, removal of what does not exist', async () => {
  files.makeDirectory(join(directory, 'd', 'e'))
  files.open(join(directory, 'b'), 'create').close()
  files.open(join(directory, 'a'), 'create').close()
  files.rename(join(directory, 'a'), join(directory, 'c'))
  await files.syncDirectory(directory)
  expect(files.list(directory)).toEqual(['b', 'c', 'd'])
  files.remove(join(directory, 'd'))
  files.remove(join(directory, 'd'))
  expect(files.exists(join(directory, 'd'))).toBe(false)
  expect(files.list(join(directory, 'd'))).toEqual([])
  expect(() => files.list(join(directory, 'b'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  const { free, total } = files.space(directory)
  expect(free).toBeGreaterThan(0)
  expect(total).toBeGreaterThanOrEqual(free)
})
