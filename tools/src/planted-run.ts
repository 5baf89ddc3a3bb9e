import { close, exitCodeOf, requireKnown, WrongArguments, type Tally } from '@tandemmq/testkit'
import { withBug, type PlantedBug } from './planted/planted-bug.ts'
import { handBackBugs } from './planted/hand-back.ts'
import { orderBugs } from './planted/order.ts'
import { progressBugs } from './planted/progress.ts'
import { replicationBugs } from './planted/replication.ts'
import { ScratchTree } from './planted/scratch-tree.ts'
import { seenBy } from './planted/seen-by.ts'
import { storageBugs } from './planted/storage.ts'
import { timerBugs } from './planted/timers.ts'
import { toldSlavesBugs } from './planted/told-slaves.ts'
import { root } from './step.ts'

const lists: Readonly<Record<string, readonly PlantedBug[]>> = {
  storage: storageBugs,
  replication: replicationBugs,
  timers: timerBugs,
  order: orderBugs,
  progress: progressBugs,
  'hand-back': handBackBugs,
  'told-slaves': toldSlavesBugs,
}

const USAGE = `npm run planted -- LIST [WORD …]    plants each bug of a list (${Object.keys(lists).join(', ')}) in a copy of the tree, or those whose name holds a word,
                                    and says which test saw it; fails if none does`

process.exitCode = await exitCodeOf(USAGE, async () => {
  const [list, ...words] = process.argv.slice(2)
  if (list === undefined) throw new WrongArguments('Which list?')
  requireKnown('list', [list], Object.keys(lists))
  const chosen = (lists[list] ?? []).filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  )
  return close(await plantAll(chosen))
})

async function plantAll(bugs: readonly PlantedBug[]): Promise<Tally> {
  using tree = new ScratchTree(root)
  // Without this, a test that fails anyway would count as one that sees the bug.
  const files = [...new Set(bugs.flatMap(({ tests }) => tests))].filter((path) => tree.has(path))
  const failing = await seenBy(tree.directory, files)
  if (failing !== undefined) {
    process.stdout.write(`without any bug there fails already: ${failing}\n`)
    return { passed: 0, failed: bugs.length }
  }
  let passed = 0
  for (const bug of bugs) {
    const seen = await plant(tree, bug)
    if (seen.isSeen) passed += 1
    process.stdout.write(`${seen.isSeen ? 'seen    ' : 'NOT SEEN'} ${bug.name}: ${seen.words}\n`)
  }
  return { passed, failed: bugs.length - passed }
}

async function plant(
  tree: ScratchTree,
  bug: PlantedBug,
): Promise<{ readonly isSeen: boolean; readonly words: string }> {
  const source = tree.read(bug.file)
  const buggy = withBug(source, bug)
  if (buggy === undefined) return { isSeen: false, words: `its text is not exactly once in ${bug.file}` }
  const missing = bug.tests.filter((path) => !tree.has(path))
  if (missing.length > 0) return { isSeen: false, words: `there is no ${missing.join(', ')}` }
  try {
    tree.write(bug.file, buggy)
    const test = await seenBy(tree.directory, bug.tests)
    return { isSeen: test !== undefined, words: test ?? `by none of ${bug.tests.join(', ')}` }
  } finally {
    tree.write(bug.file, source)
  }
}
