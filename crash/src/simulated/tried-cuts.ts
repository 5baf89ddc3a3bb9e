import { survivals, type SimulatedFiles, type Survival, type UnsyncedChange } from '@tandemmq/testkit'

/** The power cuts that were tried in one run of a machine: most of what a boundary can leave, the one before could leave too. */
export class TriedCuts {
  readonly #seen = new Set<string>()
  #count = 0

  /** How many there were, those that leave nothing new included. */
  get count(): number {
    return this.#count
  }

  /** Power cuts at this instant that leave what none has left before under the same promises. */
  *fresh(disk: SimulatedFiles, promises: string): Iterable<Survival> {
    const changes = disk.unsynced()
    for (const survival of survivals(changes)) {
      this.#count += 1
      const left = `${promises} ${appliedChanges(changes, disk.changes, survival)}`
      if (this.#seen.has(left)) continue
      this.#seen.add(left)
      yield survival
    }
  }
}

/** Which of all changes to the disk are on it: all below the first that is missing, and of the rest each by its order. */
function appliedChanges(changes: readonly UnsyncedChange[], total: number, survival: Survival): string {
  const unsynced = new Map(changes.map((change) => [change.order, change]))
  const parts: string[] = []
  let complete = 0
  for (let order = changes[0]?.order ?? total + 1; order <= total + 1; order += 1) {
    const part = order > total ? '' : keptOf(order, unsynced.get(order), survival)
    if (complete === 0 && part !== 'all') complete = order
    if (complete !== 0 && part !== '') parts.push(`${order}:${part}`)
  }
  return `${complete} ${parts.join(' ')}`
}

function keptOf(order: number, change: UnsyncedChange | undefined, survival: Survival): string {
  if (change === undefined) return 'all'
  if (change.kind !== 'write') return survival.keeps(order) ? 'all' : ''
  const kept = change.sectors.filter((sector) => survival.keeps(order, sector))
  return kept.length === change.sectors.length ? 'all' : kept.join()
}
