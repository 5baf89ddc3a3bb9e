import { expect, test } from 'vitest'
import { explore, reportOf, sequencesOf } from './exploration.ts'
import { steps } from './steps.ts'

// Which bugs it sees: tools/planted/storage.ts.
test.for([undefined, ...steps])(
  'after a crash at any boundary of %s and of any step behind nothing acknowledged is lost, nothing unsent appears',
  { timeout: 300_000 },
  async (first) => {
    const sequences = [...sequencesOf(2)].filter((sequence) => sequence[0] === first)
    const findings = await explore({ sequences, cutEvery: 12, goOnEvery: 5, recoveryCrashEvery: 250 })
    process.stdout.write(`${first ?? 'open'}: ${reportOf(findings)}\n`)
    expect(findings.broken).toEqual([])
    expect(findings.lost).toBe(0)
    // A watch that sees nothing would find nothing.
    expect(findings.boundaries).toBeGreaterThan(first === undefined ? 20 : 200)
    expect(findings.recoveries).toBeGreaterThan(first === undefined ? 20 : 200)
  },
)
