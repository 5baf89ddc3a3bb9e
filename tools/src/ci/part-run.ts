import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { nothingRan, readTally, type Tally } from '@tandemmq/testkit'
import { root } from '../step.ts'
import type { Part } from './part.ts'

export interface PartResult extends Tally {
  readonly name: string
  readonly budgetMinutes: number
  readonly minutes: number
}

/** Runs one part with its output passed on, and counts it. */
export async function runPart(part: Part, abort: AbortSignal): Promise<PartResult> {
  const startedAt = performance.now()
  const [program, ...args] = part.command
  process.stdout.write(`\n=== ${part.name}: ${part.command.join(' ')}\n`)
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], signal: abort })
  let said: Tally | undefined
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    said = readTally(line) ?? said
    process.stdout.write(`${line}\n`)
  })
  const isGood = await once(child, 'close').then(
    ([code]) => code === 0,
    (failure: unknown) => {
      process.stdout.write(`${program} could not be started: ${String(failure)}\n`)
      return false
    },
  )
  const minutes = (performance.now() - startedAt) / 60_000
  if (part.countsItself && said === undefined) {
    process.stdout.write(`${part.name} ended without its closing line "N passed, N failed": it has failed.\n`)
  }
  const tally = part.countsItself ? counted(said, isGood) : { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 }
  return { name: part.name, budgetMinutes: part.budgetMinutes, minutes, ...tally }
}

/** What a part's own count is worth, given how its process ended: one that ends badly, or in which nothing ran, has failed. */
export function counted(said: Tally | undefined, isGood: boolean): Tally {
  const tally = said ?? nothingRan
  return tally.failed > 0 || (isGood && tally.passed > 0) ? tally : { ...tally, failed: 1 }
}
