import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A run that says nothing for so long hangs, which is seen too. */
const HANGING_MS = 300_000

/** The tests of `files` in a tree: which of them fails, in words; `undefined`: none does. */
export async function seenBy(directory: string, files: readonly string[]): Promise<string | undefined> {
  const report = join(directory, 'planted.json')
  rmSync(report, { force: true })
  const vitest = join(directory, 'node_modules', '.bin', 'vitest')
  const args = [
    'run',
    `--root=${directory}`,
    '--bail=1',
    '--reporter=json',
    `--outputFile=${report}`,
    ...files,
  ]
  const child = spawn(vitest, args, { cwd: directory, stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), HANGING_MS)
  const [code]: unknown[] = await once(child, 'close')
  clearTimeout(timer)
  if (code === null) return 'a run that hangs'
  const failed = failedTest(report)
  return failed ?? (code === 0 ? undefined : 'an error outside of any test')
}

function failedTest(report: string): string | undefined {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
  for (const file of listOf(content, 'testResults')) {
    for (const test of listOf(file, 'assertionResults')) {
      if (textOf(test, 'status') === 'failed')
        return `${textOf(file, 'name').split('/').at(-1)}: ${textOf(test, 'title')}`
    }
  }
  return undefined
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([name]) => name === field)?.[1]
}

function listOf(value: unknown, field: string): readonly unknown[] {
  const list = fieldOf(value, field)
  return Array.isArray(list) ? list : []
}

function textOf(value: unknown, field: string): string {
  const text = fieldOf(value, field)
  return typeof text === 'string' ? text : ''
}
