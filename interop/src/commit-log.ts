import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The first `end` bytes of a broker's commit log, as they lie in its files. `service`: as the launcher names it. */
export function commitLog(data: string, service: string, end: number): Buffer {
  const directory = join(data, service, 'commitlog')
  const files = readdirSync(directory)
    .filter((name) => /^\d{20}$/.test(name))
    .toSorted()
    .map((name) => readFileSync(join(directory, name)))
  return Buffer.concat(files).subarray(0, end)
}
