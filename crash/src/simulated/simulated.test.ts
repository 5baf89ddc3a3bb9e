import { expect, test } from 'vitest'
import { explore, reportOf, sequencesOf } from './exploration.ts'
import { steps } from './steps.ts'

// Which bugs it sees: tools/planted/storage.ts.
test.for(['open', ...steps] as const)(
  'after a crash at any boundary of %s and of any step behind nothing acknowledged is lost, nothing unsent appears',
  { timeout: 300_000 },
  async (first) => {
    // `open`: the start alone, without a step.
    const wanted = first === 'open' ? undefined : first
    const sequences = [...sequencesOf(2)].filter((sequence) => sequence[0] === wanted)
    const findings = await explore({ sequences, cutEvery: 12, goOnEvery: 5, recoveryCrashEvery: 250 })
    process.stdout.write(`${first}: ${reportOf(findings)}\n`)
    expect(findings.broken).toEqual([])
    expect(findings.lost).toBe(0)
    // A watch that sees nothing would find nothing.
    expect(findings.boundaries).toBeGreaterThan(wanted === undefined ? 20 : 200)
    expect(findings.recoveries).toBeGreaterThan(wanted === undefined ? 20 : 200)
  },
)
