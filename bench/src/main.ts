import { exitCodeOf, requireKnown, WrongArguments } from '@tandemmq/testkit'
import { containers } from './containers.ts'
import { replication, REPLICATION_FLAGS } from './replication/replication.ts'
import { startup } from './startup.ts'
import { compare } from './storage/compare.ts'
import { PLAN_FLAGS } from './storage/plan.ts'
import { storage } from './storage/storage.ts'
import { throughput } from './throughput.ts'

const benchmarks: Readonly<Record<string, (flags: readonly string[]) => Promise<Record<string, unknown>>>> = {
  startup,
  throughput,
  containers,
  replication,
  storage,
  compare,
}
/** Only these take flags of their own. */
const FLAGS: Readonly<Record<string, string>> = {
  replication: REPLICATION_FLAGS,
  storage: PLAN_FLAGS,
  compare: PLAN_FLAGS,
}

const usage = `npm run bench -- <${Object.keys(benchmarks).join('|')}> [--json]
${Object.entries(FLAGS)
  .map(([name, flags]) => `npm run bench -- ${name} [--json] ${flags}`)
  .join('\n')}`

process.exitCode = await exitCodeOf(usage, async () => {
  const [name = '', ...args] = process.argv.slice(2)
  const flags = args.filter((flag) => flag !== '--json')
  requireKnown('benchmark', [name], Object.keys(benchmarks))
  const benchmark = benchmarks[name]
  if (benchmark === undefined || (flags.length > 0 && FLAGS[name] === undefined)) {
    throw new WrongArguments(`${name} takes no ${flags.join(' ')}.`)
  }
  const figures = await benchmark(flags)
  process.stdout.write(`${JSON.stringify(figures, null, args.includes('--json') ? 0 : 2)}\n`)
  return 0
})
