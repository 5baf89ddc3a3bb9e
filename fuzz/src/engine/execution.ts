import type { Target, Verdict } from '../target.ts'
import { Allocations } from './allocations.ts'

/** Runs one input against a target, its memory watched. Throws for a finding. */
export async function execute(target: Target, input: Buffer): Promise<Verdict> {
  // A copy: a target that writes into its input must not change the corpus.
  const own = Buffer.from(input)
  const allocations = new Allocations(input.length, target.allocation)
  try {
    const outcome = target.run(own)
    const verdict = typeof outcome === 'string' ? outcome : await outcome
    allocations.check()
    return verdict
  } finally {
    allocations.stop()
  }
}
