import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
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

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    all: { type: 'boolean' },
    list: { type: 'boolean' },
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    seeds: { type: 'boolean' },
  },
})

// Not only its code: a target may have a server that goes on listening.
process.exit(await main())

async function main(): Promise<number> {
  if (values.list === true) {
    for (const { name, holds } of targets) print(`${name.padEnd(20)} ${holds}`)
    return 0
  }
  if (values.seeds === true) {
    for (const seed of await allSeeds()) await write(seed)
    return 0
  }
  if (values.target !== undefined && values.replay !== undefined) return replay(values.target, values.replay)
  const names = values.all === true ? targets.map(({ name }) => name) : [values.target ?? '']
  if (!names.every((name) => targets.some((target) => target.name === name))) {
    print(USAGE)
    return 2
  }
  let findings = 0
  for (const name of names) if (!(await fuzz(name))) findings += 1
  print(`${names.length - findings} passed, ${findings} failed`)
  return findings === 0 ? 0 : 1
}

/** What a target takes must be taken for ever; what genuine clients sent and we refuse is only kept. */
async function write({ target, name, bytes }: Seed): Promise<void> {
  const verdict = await execute(targetNamed(target), bytes)
  const kind = verdict === 'taken' ? 'seed' : 'genuine'
  writeCorpus(target, `${kind}-${name.replaceAll('.', '-')}`, bytes)
}

/** False for a finding. */
async function fuzz(name: string): Promise<boolean> {
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)
  const from = performance.now()
  const { executions, verdicts, finding } = await watch(name, seed, Number(values.seconds))
  const seconds = (performance.now() - from) / 1000
  const rate = Math.round(executions / seconds)
  const shares = verdicts === undefined ? '' : `, ${verdicts.taken} taken, ${verdicts.refused} refused`
  print(
    `${finding ? 'FOUND' : 'ok   '} ${name.padEnd(20)} ${executions} executions in ${seconds.toFixed(1)} s (${rate}/s), seed ${seed}${shares}`,
  )
  if (finding === undefined) return true
  const digest = createHash('sha256').update(finding.input).digest('hex').slice(0, 12)
  const path = relative(process.cwd(), writeCorpus(name, `found-${digest}`, finding.input))
  print(finding.words.replaceAll(/^/gm, '      '))
  print(
    `      ${finding.input.length} bytes in ${path}; again: npm run fuzz -- --target ${name} --replay ${path}`,
  )
  return false
}

async function replay(name: string, path: string): Promise<number> {
  try {
    print(`${name}: ${await execute(targetNamed(name), readFileSync(path))}`)
    return 0
  } catch (error) {
    print(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
    return 1
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
