import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './step.ts'
import type { SourceFile } from './source-file.ts'

/** A package of the workspace, as the repository's rules see it. */
export interface WorkspacePackage {
  /** Name without the scope. */
  readonly name: string
  /** Relative to the repository. */
  readonly directory: string
  readonly sources: readonly SourceFile[]
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
  readonly exports: unknown
  /** Names of the packages its tsconfig refers to. */
  readonly references: readonly string[]
}

export const SCOPE = '@tandemmq/'
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', '.tandemmq', 'coverage', '.cache'])

/** Every package of the workspace. */
export function readWorkspace(): readonly WorkspacePackage[] {
  const all = workspaceGlobs(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')).flatMap((glob) =>
    glob.endsWith('/*')
      ? readdirSync(join(root, glob.slice(0, -2))).map((name) => glob.slice(0, -1) + name)
      : [glob],
  )
  return all.filter((directory) => existsSync(join(root, directory, 'package.json'))).map(readPackage)
}

/** Every file below a directory of the repository whose name ends in one of `endings`. */
export function readFiles(directory: string, endings: readonly string[]): readonly SourceFile[] {
  const files: SourceFile[] = []
  const entries = readdirSync(join(root, directory), { withFileTypes: true })
  for (const entry of entries) {
    const path = directory === '.' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) files.push(...readFiles(path, endings))
    if (!entry.isFile() || !endings.some((ending) => entry.name.endsWith(ending))) continue
    files.push({ path, content: readFileSync(join(root, path), 'utf8') })
  }
  return files
}

/** What `packages:` lists: directories, and `directory/*` for all below one. */
function workspaceGlobs(manifest: string): readonly string[] {
  const [, list = ''] = /^packages:\n((?: +- .*\n)+)/m.exec(manifest) ?? []
  return list.split('\n').flatMap((line) => /^ +- (.*)$/.exec(line)?.slice(1) ?? [])
}

function readPackage(directory: string): WorkspacePackage {
  const manifest = readJson(join(directory, 'package.json'))
  const references = listOf(readJson(join(directory, 'tsconfig.json'))['references']).map((reference) =>
    String(recordOf(reference)['path']).split('/').slice(-1).join(''),
  )
  return {
    name: String(manifest['name']).replace(SCOPE, ''),
    directory,
    sources: readFiles(`${directory}/src`, ['.ts']),
    dependencies: Object.keys(recordOf(manifest['dependencies'])),
    devDependencies: Object.keys(recordOf(manifest['devDependencies'])),
    exports: manifest['exports'],
    references,
  }
}

function readJson(path: string): Readonly<Record<string, unknown>> {
  return recordOf(JSON.parse(readFileSync(join(root, path), 'utf8')))
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
