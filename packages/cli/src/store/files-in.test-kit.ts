import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of all files below a directory. */
export function filesIn(root: string): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(root, name)).isFile())
    .toSorted()
}
