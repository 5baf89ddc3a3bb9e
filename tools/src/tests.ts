import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, runTool, step } from './step.ts'
import { nothingRan, type Tally } from './tally.ts'

/** Runs the tests of all projects, or those whose path contains one of `filters`. */
export async function runTests(filters: readonly string[]): Promise<Tally> {
  const directory = join(root, 'node_modules', '.cache')
  const report = join(directory, 'tests.json')
  mkdirSync(directory, { recursive: true })
  rmSync(report, { force: true })
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters]
  const isGood = await step('tests', () => runTool('vitest', args))
  const tally = tallyOfReport(report)
  // Errors outside any test fail the run without failing a test: they count as one.
  return isGood || tally.failed > 0 ? tally : { ...tally, failed: 1 }
}

function tallyOfReport(path: string): Tally {
  try {
    const report: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return { passed: countOf(report, 'numPassedTests'), failed: countOf(report, 'numFailedTests') }
  } catch {
    return nothingRan
  }
}

function countOf(report: unknown, field: string): number {
  if (typeof report !== 'object' || report === null) return 0
  const entry = Object.entries(report).find(([name]) => name === field)
  return typeof entry?.[1] === 'number' ? entry[1] : 0
}
