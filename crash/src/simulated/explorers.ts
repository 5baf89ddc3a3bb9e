import { fork } from 'node:child_process'
import { once } from 'node:events'
import { nothingFound, together, type ExplorationOptions, type Findings } from './exploration.ts'
import type { Step } from './steps.ts'

/** Sequences that one explorer looks into, together. */
export type Group = readonly (readonly Step[])[]

/** What an explorer is asked. */
export interface ExplorerTask {
  readonly group: Group
  readonly options: ExplorationOptions
}

/**
 * Looks into groups of sequences in `processes` processes; equal states are recovered once in each group. Goes on when something is broken, until nothing
 * is left to do. `onGroup` is told each outcome.
 */
export async function exploreInProcesses(
  groups: readonly Group[],
  options: ExplorationOptions,
  processes: number,
  onGroup: (group: Group, findings: Findings) => void,
): Promise<Findings> {
  const left = [...groups]
  let all = nothingFound
  const explore = async (): Promise<void> => {
    using explorer = new Explorer()
    for (let group = left.shift(); group !== undefined; group = left.shift()) {
      const findings = await explorer.explore({ group, options })
      all = together(all, findings)
      onGroup(group, findings)
    }
  }
  await Promise.all(Array.from({ length: processes }, explore))
  return all
}

class Explorer implements Disposable {
  readonly #process = fork(new URL('explorer-main.ts', import.meta.url))

  async explore(task: ExplorerTask): Promise<Findings> {
    const controller = new AbortController()
    const { signal } = controller
    const died = once(this.#process, 'exit', { signal }).then(([code, how]: readonly unknown[]) => {
      throw new Error(`an explorer has ended: ${String(code ?? how)}`)
    })
    const said = once(this.#process, 'message', { signal })
    try {
      this.#process.send(task)
      const [findings] = await Promise.race([said, died])
      return findings
    } finally {
      controller.abort()
      await Promise.allSettled([said, died])
    }
  }

  [Symbol.dispose](): void {
    this.#process.kill()
  }
}
