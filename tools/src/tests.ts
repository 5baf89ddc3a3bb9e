import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nothingRan, type Tally } from '@tandemmq/testkit'
import { root, runTool, step } from './step.ts'

/**
 * Runs the tests of all projects that `npm test` knows, or those whose path contains one of `filters`.
 * @param directory of a package that has tests of its own, beside `npm test`
 */
export async function runTests(filters: readonly string[], directory = '.'): Promise<Tally> {
  const cache = join(root, 'node_modules', '.cache')
  const report = join(cache, directory === '.' ? 'tests.json' : `tests-${directory}.json`)
  mkdirSync(cache, { recursive: true })
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = ['run', `--root=${directory}`, ...reporters, ...filters]
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
