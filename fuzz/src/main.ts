import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { close, exitCodeOf, parsedArgs, requireKnown, wholeNumber, WrongArguments } from '@tandemmq/testkit'
import { writeCorpus } from './engine/corpus.ts'
import { execute } from './engine/execution.ts'
import { watch } from './engine/watch.ts'
import { allSeeds } from './seeds/all-seeds.ts'
import type { Seed } from './seeds/seed.ts'
import { targetNamed, targets } from './targets.ts'

const USAGE = `npm run fuzz -- --target NAME --seconds N [--seed S]     hostile inputs for one target
npm run fuzz -- --all --seconds N [--seed S]            each target in turn, N seconds each
npm run fuzz -- --target NAME --replay FILE             one input again
npm run fuzz -- --list                                  the targets and what must hold for them
npm run fuzz -- --seeds                                 writes the sound inputs of the corpus anew`

const SECONDS_MAX = 7 * 24 * 3600
const SEED_MAX = 1_000_000_000

// Not only its code: a target may have a server that goes on listening.
process.exit(await exitCodeOf(USAGE, main))

async function main(): Promise<number> {
  const { values } = parsedArgs({
    options: {
      target: { type: 'string' },
      all: { type: 'boolean' },
      list: { type: 'boolean' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      replay: { type: 'string' },
      seeds: { type: 'boolean' },
    },
  })
  const { target, all, list, seeds, replay: file } = values
  const known = targets.map(({ name }) => name)
  if (target !== undefined) requireKnown('target', [target], known)
  if ([target, all, list, seeds].filter((each) => each !== undefined).length !== 1) {
    throw new WrongArguments('One of --target, --all, --list and --seeds says what to do.')
  }
  const seconds = wholeNumber('--seconds', values.seconds ?? '5', 1, SECONDS_MAX)
  const seed = wholeNumber('--seed', values.seed ?? String(Date.now() % SEED_MAX), 0, SEED_MAX)
  const isTimed = values.seconds !== undefined || values.seed !== undefined
  if (isTimed && (file !== undefined || list === true || seeds === true)) {
    throw new WrongArguments('--seconds and --seed are for hostile inputs.')
  }
  if (file !== undefined) {
    if (target === undefined) throw new WrongArguments('--replay goes with --target.')
    return replay(target, file)
  }
  if (list === true) {
    for (const { name, holds } of targets) print(`${name.padEnd(20)} ${holds}`)
    return 0
  }
  if (seeds === true) {
    for (const sound of await allSeeds()) await write(sound)
    return 0
  }
  let passed = 0
  const names = target === undefined ? known : [target]
  for (const name of names) if (await fuzz(name, seed, seconds)) passed += 1
  return close({ passed, failed: names.length - passed })
}

/** What a target takes must be taken for ever; what genuine clients sent and we refuse is only kept. */
async function write({ target, name, bytes }: Seed): Promise<void> {
  const verdict = await execute(targetNamed(target), bytes)
  const kind = verdict === 'taken' ? 'seed' : 'genuine'
  writeCorpus(target, `${kind}-${name.replaceAll('.', '-')}`, bytes)
}

/** False for a finding, and for a target that executed nothing. */
async function fuzz(name: string, seed: number, secondsMax: number): Promise<boolean> {
  const from = performance.now()
  const { executions, verdicts, finding } = await watch(name, seed, secondsMax)
  const seconds = (performance.now() - from) / 1000
  const rate = Math.round(executions / seconds)
  const shares = verdicts === undefined ? '' : `, ${verdicts.taken} taken, ${verdicts.refused} refused`
  const word = finding ? 'FOUND' : executions === 0 ? 'NONE ' : 'ok   '
  print(
    `${word} ${name.padEnd(20)} ${executions} executions in ${seconds.toFixed(1)} s (${rate}/s), seed ${seed}${shares}`,
  )
  if (finding === undefined) return executions > 0
  const digest = createHash('sha256').update(finding.input).digest('hex').slice(0, 12)
  const path = relative(process.cwd(), writeCorpus(name, `found-${digest}`, finding.input))
  print(finding.words.replaceAll(/^/gm, '      '))
  print(
    `      ${finding.input.length} bytes in ${path}; again: npm run fuzz -- --target ${name} --replay ${path}`,
  )
  return false
}

async function replay(name: string, path: string): Promise<number> {
  const input = contentOf(path)
  try {
    print(`${name}: ${await execute(targetNamed(name), input)}`)
    return 0
  } catch (error) {
    print(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
    return 1
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (failure) {
    throw new WrongArguments(`--replay: ${failure instanceof Error ? failure.message : String(failure)}`)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
