import { live } from './life.ts'

/** `npm run simulate -- --seed N [--message ID]`: lives that life and tells it. `--seed A..B`: many, in short. The last line counts lives. */
const args = process.argv.slice(2)
const [first, last] = seedsOf(valueOf('--seed') ?? '1')
const messages = valueOf('--message')?.split(',') ?? []
let failures = 0
for (let seed = first; seed <= last; seed += 1) {
  const outcome = await live(seed)
  const isGood = outcome.violations.length === 0
  if (!isGood) failures += 1
  if (first === last) for (const line of outcome.story) print(line)
  for (const id of messages) for (const line of outcome.tell(id)) print(line)
  print(`${isGood ? 'ok  ' : 'FAIL'} ${outcome.headline}`)
  print(`     ${outcome.summary}`)
  for (const violation of outcome.violations.slice(0, 20)) print(`     ${violation}`)
}
print(`${last - first + 1 - failures} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1

function valueOf(name: string): string | undefined {
  const at = args.indexOf(name)
  return at === -1 ? undefined : args[at + 1]
}

function seedsOf(value: string): readonly [number, number] {
  const [from = '1', to = from] = value.split('..')
  return [Number(from), Number(to)]
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
