import type { Tally } from '@tandemmq/testkit'
import { runTool, step } from './step.ts'

const checks: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-b']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']],
  ['format', 'oxfmt', ['--check', '.']],
]

/** Types, lint and format of the whole repository; each counts as one. */
export async function runChecks(): Promise<Tally> {
  let passed = 0
  for (const [name, command, args] of checks) {
    if (await step(name, () => runTool(command, args))) passed += 1
  }
  return { passed, failed: checks.length - passed }
}
