import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '@tandemmq/base'
import { close, exitCodeOf, parsedArgs, wholeNumber } from '@tandemmq/testkit'
import { removeOwnNetwork } from './network.ts'
import { requireAll } from './requirements.ts'
import { ROUNDS_PER_CLUSTER, Run } from './run.ts'

const USAGE = `npm run rounds [-- --rounds N] [--seed S] [--from R] [--per-cluster P]
    N (default 100) rounds: a cluster of real processes under load, one misfortune of those that seed S (default 1) draws, everything mended,
    everything checked; after every P (default ${ROUNDS_PER_CLUSTER}) a fresh cluster. Round R (default 1) is the first one: the same seed has the same rounds.
    Needs root, network namespaces, loop devices and a C compiler: rounds/setup.`

const ROUNDS_MAX = 100_000
const SEED_MAX = 1_000_000_000

process.exitCode = await exitCodeOf(USAGE, async () => {
  const { values } = parsedArgs({
    options: {
      rounds: { type: 'string' },
      seed: { type: 'string' },
      from: { type: 'string' },
      'per-cluster': { type: 'string' },
    },
  })
  const rounds = wholeNumber('--rounds', values.rounds ?? '100', 1, ROUNDS_MAX)
  const seed = wholeNumber('--seed', values.seed ?? '1', 0, SEED_MAX)
  const from = wholeNumber('--from', values.from ?? '1', 1, ROUNDS_MAX)
  const perCluster = wholeNumber(
    '--per-cluster',
    values['per-cluster'] ?? String(ROUNDS_PER_CLUSTER),
    1,
    ROUNDS_MAX,
  )
  const directory = mkdtempSync(join(tmpdir(), 'tandemmq-rounds-'))
  const run = new Run({ seed, perCluster, directory })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      removeOwnNetwork()
      run.removeAllButEvidence()
      process.exit(130)
    })
  }
  try {
    requireAll(directory)
    return close(await run.rounds(from, rounds))
  } catch (failure) {
    process.stdout.write(`ROUNDS COULD NOT RUN HERE AND COUNT AS FAILED: ${messageOf(failure)}\n`)
    return close({ passed: 0, failed: 1 })
  } finally {
    run.removeAllButEvidence()
  }
})
