import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { readTally, type Tally } from '@tandemmq/testkit'
import { root } from '../step.ts'
import type { Part } from './part.ts'

export interface PartResult extends Tally {
  readonly name: string
  readonly budgetMinutes: number
  readonly minutes: number
}

/** Runs one part with its output passed on. A part that says `0 failed` and ends badly, or says nothing, still counts. */
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
  return { name: part.name, budgetMinutes: part.budgetMinutes, minutes, ...counted(said, isGood) }
}

/** What a part's own count is worth, given how its process ended. */
export function counted(said: Tally | undefined, isGood: boolean): Tally {
  const tally = said ?? { passed: isGood ? 1 : 0, failed: 0 }
  return isGood || tally.failed > 0 ? tally : { ...tally, failed: 1 }
}
