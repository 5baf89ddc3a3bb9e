import fc from 'fast-check'
import type { Target, Verdict } from '../target.ts'
import { execute } from './execution.ts'
import { hostileInputs } from './inputs.ts'

export interface CampaignOptions {
  readonly seed: number
  /** Ends after this many executions. */
  readonly runs?: number
  /** Ends after this long, ms. */
  readonly timeMs?: number
  readonly corpus: readonly Buffer[]
  /** Called before each execution. */
  readonly before?: (input: Buffer) => void
}

export interface CampaignResult {
  /** Executions until the end or the first finding, without those that made it smaller. */
  readonly executions: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly finding?: { readonly input: Buffer; readonly error: unknown }
}

/** A finding is made smaller by at most this many changes. */
const SHRINKS_MAX = 400
const BATCH = 10_000

/** Feeds a target hostile inputs made from its corpus. The seed decides all of them; it stops at the first finding. */
export async function runCampaign(target: Target, options: CampaignOptions): Promise<CampaignResult> {
  const verdicts = { taken: 0, refused: 0 }
  const { runs = Number.POSITIVE_INFINITY, timeMs = Number.POSITIVE_INFINITY, corpus } = options
  const inputs = hostileInputs(corpus)
  const from = performance.now()
  let executions = 0
  for (let batch = 0; executions < runs; batch += 1) {
    const left = timeMs - (performance.now() - from)
    if (left <= 0) break
    let shrinks = -1
    const once = async (input: Buffer): Promise<void> => {
      if (shrinks >= SHRINKS_MAX) return
      options.before?.(input)
      try {
        verdicts[await execute(target, input)] += 1
      } catch (error) {
        shrinks += 1
        throw error
      }
      if (shrinks >= 0) shrinks += 1
    }
    const result = await fc.check(fc.asyncProperty(inputs, once), {
      seed: options.seed + batch,
      numRuns: Math.min(BATCH, runs - executions),
      ...(Number.isFinite(left) ? { interruptAfterTimeLimit: Math.ceil(left) } : {}),
    })
    executions += result.numRuns
    if (result.counterexample !== null) {
      const [input] = result.counterexample
      return { executions, verdicts, finding: { input, error: result.errorInstance } }
    }
  }
  return { executions, verdicts }
}
