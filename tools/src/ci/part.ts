/** One part of what a change must pass. Its command ends with a line `N passed, N failed`, or counts as one. */
export interface Part {
  readonly name: string
  /** What the part may take on two cores, minutes. Beyond it nothing fails; the table says so. */
  readonly budgetMinutes: number
  readonly command: readonly [program: string, ...args: string[]]
  /** Runs against a Docker engine, which is started before it. */
  readonly needsEngine: boolean
}

/** Everything `.ci/run` runs, in order. CONTRIBUTING.md has the budget in words; a test holds the two together. */
export const parts: readonly Part[] = [
  { name: 'check and unit', budgetMinutes: 5, command: ['npm', 'test', '--silent'], needsEngine: false },
  {
    name: 'simulation',
    budgetMinutes: 5,
    command: ['npm', 'run', '--silent', 'simulate', '--', '--seed', '101..500'],
    needsEngine: false,
  },
]
