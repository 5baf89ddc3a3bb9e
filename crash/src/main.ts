import { close, exitCodeOf, parsedArgs, requireKnown, wholeNumber, WrongArguments } from '@tandemmq/testkit'
import { explore, reportOf, sequencesOf } from './simulated/exploration.ts'

const USAGE = `npm run crash -- simulated [--depth N] [--every N]
    every crash at every boundary of every sequence of up to N steps (default 3) on a simulated disk; of the states that are left, every N-th
    (default 20) has a recovery that dies as well`

const DEPTH_MAX = 4
const EVERY_MAX = 1_000_000

process.exitCode = await exitCodeOf(USAGE, main)

async function main(): Promise<number> {
  const { values, positionals } = parsedArgs({
    allowPositionals: true,
    options: { depth: { type: 'string' }, every: { type: 'string' } },
  })
  const [kind = '', ...more] = positionals
  requireKnown('kind of crash', [kind], ['simulated'])
  if (more.length > 0) throw new WrongArguments('One kind of crash at a time.')
  const depth = wholeNumber('--depth', values.depth ?? '3', 0, DEPTH_MAX)
  const every = wholeNumber('--every', values.every ?? '20', 1, EVERY_MAX)
  const findings = await explore({
    sequences: sequencesOf(depth),
    cutEvery: 1,
    goOnEvery: 1,
    recoveryCrashEvery: every,
    onSequence: (sequence, so) => process.stdout.write(`${sequence.join(', ') || 'open'}: ${reportOf(so)}\n`),
  })
  for (const words of findings.broken) process.stdout.write(`${words}\n`)
  return close({ passed: findings.recoveries - findings.broken.length, failed: findings.broken.length })
}
