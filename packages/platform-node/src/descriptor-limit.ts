import { readFileSync } from 'node:fs'

/** How many file descriptors this process may have (`ulimit -n`); where the system does not tell (only Linux does): plenty. */
export function descriptorLimit(source = '/proc/self/limits'): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(source, 'utf8'))?.[1]
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
