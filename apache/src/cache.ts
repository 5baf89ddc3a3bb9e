import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = join(import.meta.dirname, '..')

/** Everything of Apache's, and what its runs leave: outside of what is tracked. */
export const CACHE = join(PACKAGE, '..', 'node_modules', '.cache', 'apache')
/** Apache's jars and what they depend on. */
export const LIB = join(CACHE, 'lib')
/** Our Java programs, compiled. */
export const CLASSES = join(CACHE, 'classes')
/** One directory for each test; only those of failed tests stay. */
export const RUNS = join(CACHE, 'runs')

/** A file of this package. */
export function packageFile(...path: readonly string[]): string {
  return join(PACKAGE, ...path)
}

/** Makes `name` with `make` unless it was made from just these sources before. */
export function once(name: string, sources: readonly string[], make: () => void): void {
  mkdirSync(CACHE, { recursive: true })
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source))
  const digest = hash.digest('hex')
  const stamp = join(CACHE, `${name}.sha256`)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  make()
  writeFileSync(stamp, digest)
}
