import { close, exitCodeOf, parsedArgs, wholeNumber, WrongArguments, type Tally } from '@tandemmq/testkit'
import { live } from './life.ts'

const USAGE = `npm run simulate -- --seed N [--message ID,…]     lives that life and tells it, and what became of those messages
npm run simulate -- --seed A..B                   many lives, in short
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
  for (let seed = first; seed <= last; seed += 1) {
    const outcome = await live(seed)
    const isGood = outcome.violations.length === 0
    if (isGood) passed += 1
    else failed += 1
    if (first === last) for (const line of outcome.story) print(line)
    for (const id of messages) for (const line of outcome.tell(id)) print(line)
    print(`${isGood ? 'ok  ' : 'FAIL'} ${outcome.headline}`)
    print(`     ${outcome.summary}`)
    for (const violation of outcome.violations.slice(0, 20)) print(`     ${violation}`)
  }
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

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
