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
  nodeScript('fuzz', 1, 'fuzz', '--', '--all', '--seconds', '2', '--seed', '1'),
  nodeScript('hostile', 6, 'hostile', '--', 'ports'),
  nodeScript('simulation', 3, 'simulate', '--', '--seed', '101..500'),
  { ...nodeScript('images', 2, 'images'), needsEngine: true },
  { ...nodeScript('containers', 10, 'test:containers'), needsEngine: true },
]

function nodeScript(name: string, budgetMinutes: number, ...script: readonly string[]): Part {
  return { name, budgetMinutes, command: ['npm', 'run', '--silent', ...script], needsEngine: false }
}
