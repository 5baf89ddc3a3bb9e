import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const native = fileURLToPath(new URL('../../native', import.meta.url))

/** Compiles a source of `crash/native` into `directory`; returns its path. Throws without a C compiler. */
export function compiled(name: string, directory: string, ...flags: readonly string[]): string {
  const output = join(directory, name)
  execFileSync('cc', ['-O1', '-Wall', ...flags, '-o', output, join(native, `${name}.c`), '-ldl'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return output
}
