import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { close, exitCodeOf, parsedArgs, requireKnown } from '@tandemmq/testkit'
import { ApacheClient } from '../apache-client.ts'
import { RUNS } from '../cache.ts'
import { setup } from '../prepare.ts'
import { isGood, type Row } from './row.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { sideBySide } from './side-by-side.ts'
import { tableOf } from './table.ts'

const USAGE = `npm run interop -- differential [--json] [SCENARIO …]
    the same faults for genuine Apache RocketMQ and for TandemMQ, side by side; exit code 1 if TandemMQ does not hold in one of them
    --json: one JSON object on the last line of stdout, everything else on stderr
    scenarios: ${scenarios.map(({ name }) => name).join(', ')}`

// Clients of the official library whose start has failed keep their timers: nothing else is left to wait for.
process.exit(await exitCodeOf(USAGE, main))

async function main(): Promise<number> {
  const { values, positionals } = parsedArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const names = scenarios.map(({ name }) => name)
  requireKnown('scenario', positionals, names)
  setup()
  const rows = await play(
    scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
  )
  const failed = rows.filter((row) => !isGood(row)).length
  if (!values.json) {
    process.stdout.write(`\n${tableOf(rows)}\n`)
    return close({ passed: rows.length - failed, failed })
  }
  process.stdout.write(`${JSON.stringify({ rows })}\n`)
  return failed === 0 ? 0 : 1
}

/** One after the other: each starts a Java machine or two. Stores and logs of what did not hold stay. */
async function play(wanted: readonly Scenario[]): Promise<readonly Row[]> {
  const root = join(RUNS, 'differential')
  const home = join(root, 'client')
  await using client = await ApacheClient.start(home)
  const surroundings = { client, nameServer: await client.nameServer(home) }
  const rows: Row[] = []
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)))
  }
  for (const scenario of wanted) {
    if (stopped.signal.aborted) break
    const directory = join(root, scenario.name)
    const row = await sideBySide(scenario, directory, surroundings, stopped.signal)
    rows.push(row)
    const fate = isGood(row) ? 'holds' : `DOES NOT HOLD, see ${directory}`
    process.stderr.write(`${scenario.name}: ${fate} (${row.seconds} s)\n`)
    if (isGood(row)) rmSync(directory, { recursive: true, force: true })
  }
  return rows
}
