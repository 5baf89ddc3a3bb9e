import { WrongArguments } from '@tandemmq/testkit'

/** One part of what a change must pass. */
export interface Part {
  readonly name: string
  /** What the part may take on two cores, minutes. Beyond it nothing fails; the table says so. */
  readonly budgetMinutes: number
  readonly command: readonly [program: string, ...args: string[]]
  /** Its command ends with a line `N passed, N failed`, and has failed without one. Otherwise it counts as one, by its exit code. */
  readonly countsItself: boolean
  /** Runs against a Docker engine, which is started before it. */
  readonly needsEngine: boolean
}

/** Everything `.ci/run` runs, in order. CONTRIBUTING.md has the budget in words; a test holds the two together. */
export const parts: readonly Part[] = [
  {
    name: 'check and unit',
    budgetMinutes: 7,
    command: ['npm', 'test', '--silent'],
    countsItself: true,
    needsEngine: false,
  },
  nodeScript('fuzz', 1, 'fuzz', '--', '--all', '--seconds', '2', '--seed', '1'),
  nodeScript('hostile', 7, 'hostile', '--', 'ports'),
  nodeScript('simulation', 6, 'simulate', '--', '--seed', '101..1000'),
  // As many rounds as there are kinds of misfortune, on as many clusters as there are modes.
  setUpScript('rounds', 5, 'rounds/setup', 'rounds -- --rounds 25'),
  setUpScript('genuine rocketmq', 7, 'apache/setup', 'interop'),
  { ...nodeScript('images', 2, 'images'), countsItself: false, needsEngine: true },
  { ...nodeScript('containers', 6, 'test:containers'), needsEngine: true },
]

function nodeScript(name: string, budgetMinutes: number, ...script: readonly string[]): Part {
  const command = ['npm', 'run', '--silent', ...script] as const
  return { name, budgetMinutes, command, countsItself: true, needsEngine: false }
}

/** The same with what `setup` installs where it is missing. */
function setUpScript(name: string, budgetMinutes: number, setup: string, script: string): Part {
  const command = ['sh', '-c', `${setup} && exec npm run --silent ${script}`] as const
  return { name, budgetMinutes, command, countsItself: true, needsEngine: false }
}

/** The parts whose names contain one of these words, or all for none. Throws {@link WrongArguments} for a word that no part has. */
export function partsNamed(words: readonly string[]): readonly Part[] {
  const known = parts.map(({ name }) => name)
  const unknown = words.find((word) => word === '' || !known.some((name) => name.includes(word)))
  if (unknown !== undefined) {
    throw new WrongArguments(`There is no part ${JSON.stringify(unknown)}: ${known.join(', ')}.`)
  }
  return parts.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
}
