import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What can lie where a file, or a directory, of a store belongs. */
export type Stranger = (typeof STRANGERS)[number]

export const STRANGERS = [
  'nothing',
  'an empty file',
  'garbage',
  'a directory',
  'a link to nowhere',
  'a link to itself',
  'a link to /dev/zero',
  'a sparse file of 1 GiB',
  'a sparse file of 10 GiB',
  'a pipe',
] as const

/** Puts it at `path` in place of whatever is there. */
export function putStranger(path: string, stranger: Stranger): void {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(dirname(path), { recursive: true })
  switch (stranger) {
    case 'nothing':
      return
    case 'an empty file':
      return writeFileSync(path, '')
    case 'garbage':
      return writeFileSync(path, Buffer.from('\u0000garbage\n'.repeat(8000)))
    case 'a directory':
      mkdirSync(join(path, 'inside'), { recursive: true })
      return
    case 'a link to nowhere':
      return symlinkSync(join(path, '..', 'nowhere'), path)
    case 'a link to itself':
      return symlinkSync(path, path)
    case 'a link to /dev/zero':
      return symlinkSync('/dev/zero', path)
    case 'a sparse file of 1 GiB':
    case 'a sparse file of 10 GiB':
      writeFileSync(path, '')
      return truncateSync(path, (stranger === 'a sparse file of 1 GiB' ? 1 : 10) * 2 ** 30)
    case 'a pipe':
      spawnSync('mkfifo', [path])
      return
  }
}
