import { expect, test } from 'vitest'
import { explore, reportOf } from './exploration.ts'
import { steps, type Step } from './steps.ts'

const options = { cutEvery: 16, goOnEvery: 5, dieEvery: 300, dieAgainEvery: 6000 }

// Which bugs it sees: tools/planted/storage.ts.
test.for(['open', ...steps] as const)(
  'after a crash at any boundary of %s and of any step behind nothing acknowledged is lost, nothing unsent appears',
  { timeout: 300_000 },
  async (first) => {
    // `open`: the start alone, without a step.
    const sequences: readonly (readonly Step[])[] =
      first === 'open' ? [[]] : [[first], ...steps.map((second) => [first, second])]
    const findings = await explore(sequences, options)
    process.stdout.write(`${first}: ${reportOf(findings)}\n`)
    expect(findings.broken).toEqual([])
    expect(findings.lost).toBe(0)
    // A watch that sees nothing would find nothing.
    expect(findings.boundaries).toBeGreaterThan(first === 'open' ? 20 : 200)
    expect(findings.states).toBeGreaterThan(first === 'open' ? 20 : 200)
    expect(findings.recoveryCrashes).toBeGreaterThan(first === 'open' ? -1 : 500)
  },
)
