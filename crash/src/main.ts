import { availableParallelism as cores } from 'node:os'
import { messageOf } from '@tandemmq/base'
import {
  close,
  exitCodeOf,
  parsedArgs,
  requireKnown,
  SeededRandom,
  sum,
  wholeNumber,
  WrongArguments,
  type Tally,
} from '@tandemmq/testkit'
import type { CrashCount } from './real/crash-count.ts'
import { failCalls } from './real/failing-calls.ts'
import { killWriters } from './real/kills.ts'
import { cutPower } from './real/power-cuts.ts'
import { exploreInProcesses } from './simulated/explorers.ts'
import { reportOf } from './simulated/exploration.ts'
import { groupedSequences } from './simulated/sequences.ts'

const USAGE = `npm run crash -- simulated [--depth N] [--every N] [--processes N]
    every crash at every boundary of every sequence of up to N steps (default 2) on a simulated disk; of the states that are left, every N-th
    (default 20) has a recovery that dies at each of its boundaries as well, and of what that leaves, every 20N-th again; in as many
    processes as there are cores. Three steps with --every 400 take eight minutes of CPU
npm run crash -- kill [--count N] [--seed S]
    SIGKILL for N (default 50) processes that write to a real disk: at a counted call or at any time
npm run crash -- power [--count N] [--seed S]
    N power cuts of a real ext4 in a loop image; needs root, loop devices and a C compiler
npm run crash -- failing [--count N] [--seed S]
    one call of the system fails under each of N writers, EIO or ENOSPC; needs a C compiler
Several kinds may be named at once.`

/** Kinds of crashes on a real disk. */
const real: Readonly<Record<string, (count: number, random: SeededRandom) => Promise<CrashCount>>> = {
  kill: killWriters,
  power: cutPower,
  failing: failCalls,
}

const DEPTH_MAX = 4
const EVERY_MAX = 1_000_000_000
const PROCESSES_MAX = 256
const COUNT_MAX = 100_000
const SEED_MAX = 1_000_000_000

process.exitCode = await exitCodeOf(USAGE, main)

async function main(): Promise<number> {
  const { values, positionals } = parsedArgs({
    allowPositionals: true,
    options: {
      depth: { type: 'string' },
      every: { type: 'string' },
      processes: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  requireKnown('kind of crash', positionals, ['simulated', ...Object.keys(real)])
  if (positionals.length === 0) throw new WrongArguments('Which kind of crash?')
  const isSimulated = positionals.includes('simulated')
  if (!isSimulated && (values.depth ?? values.every ?? values.processes) !== undefined) {
    throw new WrongArguments('--depth, --every and --processes are for simulated crashes.')
  }
  const depth = wholeNumber('--depth', values.depth ?? '2', 0, DEPTH_MAX)
  const every = wholeNumber('--every', values.every ?? '20', 1, EVERY_MAX)
  const processes = wholeNumber('--processes', values.processes ?? String(cores()), 1, PROCESSES_MAX)
  const count = wholeNumber('--count', values.count ?? '50', 1, COUNT_MAX)
  const random = new SeededRandom(wholeNumber('--seed', values.seed ?? '1', 0, SEED_MAX))
  const tallies: Tally[] = []
  if (isSimulated) tallies.push(await simulate(depth, every, processes))
  for (const [kind, crash] of Object.entries(real)) {
    if (positionals.includes(kind)) tallies.push(await tallyOf(kind, () => crash(count, random)))
  }
  return close(sum(tallies))
}

async function simulate(depth: number, dieEvery: number, processes: number): Promise<Tally> {
  const options = { cutEvery: 1, goOnEvery: 1, dieEvery, dieAgainEvery: 20 * dieEvery }
  const findings = await exploreInProcesses(groupedSequences(depth), options, processes, (group, those) => {
    const steps = group[0]?.slice(0, -1).join(', ') ?? ''
    const name = group.length === 1 ? 'open' : [steps, 'one step'].filter((words) => words !== '').join(', ')
    process.stdout.write(`${name}: ${reportOf(those)}\n`)
    for (const words of those.broken) process.stdout.write(`BROKEN ${words}\n`)
  })
  process.stdout.write(`all: ${reportOf(findings)}\n`)
  const failed = findings.broken.length
  return { passed: findings.states - failed, failed }
}

async function tallyOf(kind: string, crash: () => Promise<CrashCount>): Promise<Tally> {
  try {
    return (await crash()).report()
  } catch (failure) {
    process.stdout.write(
      `${kind.toUpperCase()} COULD NOT RUN HERE AND COUNTS AS FAILED: ${messageOf(failure)}\n`,
    )
    return { passed: 0, failed: 1 }
  }
}
