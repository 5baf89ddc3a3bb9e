import { TaskScript } from '@tandemmq/testkit'
import { nothingFound, together, type ExplorationOptions, type Findings } from './exploration.ts'
import type { Step } from './steps.ts'

/** Sequences that one explorer looks into, together. */
export type Group = readonly (readonly Step[])[]

/** What an explorer is asked. */
export interface ExplorerTask {
  readonly group: Group
  readonly options: ExplorationOptions
}

export const explorer = new TaskScript<ExplorerTask, Findings>(new URL('explorer-main.ts', import.meta.url))

/**
 * Looks into groups of sequences in `processes` processes; equal states are recovered once in each group. Goes on when something is broken, until nothing
 * is left to do. `onGroup` is told each outcome, in the order of the groups.
 */
export async function exploreInProcesses(
  groups: readonly Group[],
  options: ExplorationOptions,
  processes: number,
  onGroup: (group: Group, findings: Findings) => void,
): Promise<Findings> {
  let all = nothingFound
  const tasks = groups.map((group): ExplorerTask => ({ group, options }))
  const found = ({ group }: ExplorerTask, findings: Findings): void => {
    all = together(all, findings)
    onGroup(group, findings)
  }
  await explorer.doAll(tasks, found, processes)
  return all
}
