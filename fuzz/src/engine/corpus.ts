import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One committed input. */
export interface CorpusEntry {
  /** `seed-…`: sound, and must stay so. `genuine-…`: what a real peer sent and we refuse. `caught-…`: what a
   * fault was found with. */
  readonly name: string
  readonly bytes: Buffer
}

/** The committed inputs of a target, sorted by name; none if there is no such directory. */
export function readCorpus(target: string): readonly CorpusEntry[] {
  const directory = corpusDirectory(target)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(`${directory}/${name}`) }))
}

/** Adds an input; returns its path. */
export function writeCorpus(target: string, name: string, bytes: Uint8Array): string {
  const directory = corpusDirectory(target)
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/${name}`, bytes)
  return `${directory}/${name}`
}

function corpusDirectory(target: string): string {
  return fileURLToPath(new URL(`../../corpus/${target}`, import.meta.url))
}
