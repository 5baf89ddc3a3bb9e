import { close, exitCodeOf, parsedArgs, wholeNumber, WrongArguments, type Tally } from '@tandemmq/testkit'
import { lifeScript, reportLife, type LifeReport, type LifeTask } from './life-report.ts'

const USAGE = `npm run simulate -- --seed N [--message ID,…]     lives that life and tells it, and what became of those messages
npm run simulate -- --seed A..B                   many lives, in short, in as many processes as there are cores
With no seed it is seed 1. The last line counts lives.`

const SEED_MAX = 2 ** 32 - 1

process.exitCode = await exitCodeOf(USAGE, async () => {
  const { values } = parsedArgs({ options: { seed: { type: 'string' }, message: { type: 'string' } } })
  const [first, last] = seedsOf(values.seed ?? '1')
  return close(await liveAll(first, last, values.message?.split(',') ?? []))
})

async function liveAll(first: number, last: number, messages: readonly string[]): Promise<Tally> {
  let passed = 0
  let failed = 0
  const count = (_task: LifeTask, { isGood, lines }: LifeReport): void => {
    if (isGood) passed += 1
    else failed += 1
    for (const line of lines) process.stdout.write(`${line}\n`)
  }
  const tasks = Array.from({ length: last - first + 1 }, (_, index) => ({ seed: first + index, messages }))
  const [only, ...more] = tasks
  if (only !== undefined && more.length === 0) count(only, await reportLife(only, true))
  else await lifeScript.doAll(tasks, count)
  return { passed, failed }
}

/** The first and the last seed, both included. */
function seedsOf(text: string): readonly [number, number] {
  const [from = '', to = from, ...rest] = text.split('..')
  if (rest.length > 0) throw new WrongArguments(`--seed takes N or A..B, not ${JSON.stringify(text)}.`)
  const first = wholeNumber('--seed', from, 0, SEED_MAX)
  const last = wholeNumber('--seed', to, 0, SEED_MAX)
  if (last < first) throw new WrongArguments(`--seed ${text} names no seed: it ends before it begins.`)
  return [first, last]
}
