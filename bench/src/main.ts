import { containers } from './containers.ts'
import { startup } from './startup.ts'
import { throughput } from './throughput.ts'

const benchmarks: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  startup,
  throughput,
  containers,
}

const [name, ...flags] = process.argv.slice(2)
const benchmark = name === undefined ? undefined : benchmarks[name]
if (benchmark === undefined || flags.some((flag) => flag !== '--json')) {
  process.stderr.write(`usage: npm run bench -- <${Object.keys(benchmarks).join('|')}> [--json]\n`)
  process.exitCode = 2
} else {
  const figures = await benchmark()
  process.stdout.write(`${JSON.stringify(figures, null, flags.includes('--json') ? 0 : 2)}\n`)
}
