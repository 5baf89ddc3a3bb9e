import { close, sum } from '@tandemmq/testkit'
import { budgetTable } from './ci/budget-table.ts'
import { Engine } from './ci/engine.ts'
import { type Part, parts } from './ci/part.ts'
import { type PartResult, runPart } from './ci/part-run.ts'

/**
 * `.ci/run`: every part, in order, whatever the one before said; then what each took beside its budget. `.ci/run NAME …` runs
 * only the parts whose name contains one of those words.
 */
const wanted = process.argv.slice(2)
const chosen = parts.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
const engine = new Engine()
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
const results: PartResult[] = []
try {
  for (const part of chosen) {
    if (!interrupted.signal.aborted) results.push(await runWithWhatItNeeds(part))
  }
} finally {
  await engine.stop()
}
process.stdout.write(`\n${budgetTable(results)}\n`)
process.exitCode = close(sum(results))

async function runWithWhatItNeeds(part: Part): Promise<PartResult> {
  if (!part.needsEngine || (await engine.start())) return runPart(part, interrupted.signal)
  process.stdout.write(`\n=== ${part.name} COULD NOT RUN: no Docker engine answers. It counts as failed.\n`)
  return { name: part.name, budgetMinutes: part.budgetMinutes, minutes: 0, passed: 0, failed: 1 }
}
