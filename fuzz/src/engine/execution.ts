import { setImmediate as turn } from 'node:timers/promises'
import type { Target, Verdict } from '../target.ts'
import { Allocations } from './allocations.ts'
import { Strays } from './strays.ts'

/** Runs one input against a target, its memory watched. Throws for a finding. */
export async function execute(target: Target, input: Buffer): Promise<Verdict> {
  // A copy: a target that writes into its input must not change the corpus.
  const own = Buffer.from(input)
  const allocations = new Allocations(input.length, target.allocation)
  try {
    const outcome = target.run(own)
    const verdict = typeof outcome === 'string' ? outcome : await settled(outcome)
    allocations.check()
    return verdict
  } finally {
    allocations.stop()
  }
}

/** What an execution leaves running is part of it: errors that come up in the turn after it count. */
async function settled(outcome: Promise<Verdict>): Promise<Verdict> {
  const strays = Strays.collect()
  const verdict = await outcome
  await turn()
  strays.check()
  return verdict
}
