/** What ran, and how it went. */
export interface Tally {
  readonly passed: number
  readonly failed: number
}

export const nothingRan: Tally = { passed: 0, failed: 0 }

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((count, tally) => count + tally.passed, 0),
    failed: tallies.reduce((count, tally) => count + tally.failed, 0),
  }
}

/** The counts of a closing line; undefined for any other line. */
export function readTally(line: string): Tally | undefined {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? []
  return passed === undefined || failed === undefined
    ? undefined
    : { passed: Number(passed), failed: Number(failed) }
}

/** Prints the closing line that scripts rely on, and says the exit code: nothing may have failed, and something must have run. */
export function close(tally: Tally): number {
  process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed\n`)
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1
}
