import { close, exitCodeOf, sum } from '@tandemmq/testkit'
import { budgetTable } from './ci/budget-table.ts'
import { Engine } from './ci/engine.ts'
import { type Part, parts, partsNamed } from './ci/part.ts'
import { type PartResult, runPart } from './ci/part-run.ts'

const USAGE = `.ci/run            every part, in order, whatever the one before said; then what each took beside its budget
.ci/run NAME …     only the parts whose name contains one of those words: ${parts.map(({ name }) => name).join(', ')}`

process.exitCode = await exitCodeOf(USAGE, async () => {
  const results = await runAll(partsNamed(process.argv.slice(2)))
  process.stdout.write(`\n${budgetTable(results)}\n`)
  return close(sum(results))
})

async function runAll(chosen: readonly Part[]): Promise<readonly PartResult[]> {
  const engine = new Engine()
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const results: PartResult[] = []
  try {
    for (const part of chosen) {
      if (interrupted.signal.aborted) break
      const isReady = !part.needsEngine || (await engine.start())
      results.push(isReady ? await runPart(part, interrupted.signal) : withoutEngine(part))
    }
  } finally {
    await engine.stop()
  }
  return results
}

function withoutEngine(part: Part): PartResult {
  process.stdout.write(`\n=== ${part.name} COULD NOT RUN: no Docker engine answers. It counts as failed.\n`)
  return { name: part.name, budgetMinutes: part.budgetMinutes, minutes: 0, passed: 0, failed: 1 }
}
