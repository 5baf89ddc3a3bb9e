import { containers } from './containers.ts'
import { replication } from './replication/replication.ts'
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
const FLAGS: Readonly<Record<string, string>> = { storage: PLAN_FLAGS, compare: PLAN_FLAGS }

const [name = '', ...args] = process.argv.slice(2)
const flags = args.filter((flag) => flag !== '--json')
const benchmark = benchmarks[name]
if (benchmark === undefined || (flags.length > 0 && FLAGS[name] === undefined)) {
  process.stderr.write(`usage: npm run bench -- <${Object.keys(benchmarks).join('|')}> [--json]\n`)
  process.stderr.write(`       npm run bench -- <storage|compare> [--json] ${PLAN_FLAGS}\n`)
  process.exitCode = 2
} else {
  const figures = await benchmark(flags)
  process.stdout.write(`${JSON.stringify(figures, null, args.includes('--json') ? 0 : 2)}\n`)
}
