import { survivals, type SimulatedFiles, type Survival, type UnsyncedChange } from '@tandemmq/testkit'
import { Machine } from './machine.ts'
import type { Recoveries, Recovery } from './recoveries.ts'

/** At a boundary with so few unsynced pieces that no more states come of them, each is tried: 2 to the power of their number, more where one was written twice. */
const ALL_UP_TO = 64

/** The power cuts of one boundary. */
interface Cuts {
  /** Changes made, and those that are not synced. */
  readonly state: string
  readonly recoveries: readonly Recovery[]
  readonly cuts: number
}

/**
 * What a machine can leave on its disk at the boundaries of one run, each image once: most of what one boundary can leave, the one before could
 * leave too.
 */
export class Images {
  readonly #recoveries: Recoveries
  readonly #every: number
  /** By what of the run's changes is on the disk; `undefined`: left out. */
  readonly #known = new Map<string, Recovery | undefined>()
  #last: Cuts | undefined
  #cuts = 0

  /** `every`: of the images every so-manieth is used. */
  constructor(recoveries: Recoveries, every = 1) {
    this.#recoveries = recoveries
    this.#every = every
  }

  /** How many power cuts there were, those that leave nothing new included. */
  get cuts(): number {
    return this.#cuts
  }

  /** Whatever a power cut at this instant may leave. `where`, for people: where that is. */
  ofPowerCuts(disk: SimulatedFiles, where: string): readonly Recovery[] {
    const changes = disk.unsynced()
    const state = `${disk.changes} ${changes.map(({ order }) => order).join()}`
    this.#last = this.#last?.state === state ? this.#last : this.#cutsOf(disk, changes, state, where)
    this.#cuts += this.#last.cuts
    return this.#last.recoveries
  }

  #cutsOf(disk: SimulatedFiles, changes: readonly UnsyncedChange[], state: string, where: string): Cuts {
    const recoveries = new Set<Recovery>()
    let cuts = 0
    for (const survival of survivals(changes, ALL_UP_TO)) {
      cuts += 1
      const left = appliedChanges(changes, disk.changes, survival)
      if (!this.#known.has(left)) {
        const isUsed = (this.#known.size + 1) % this.#every === 0
        this.#known.set(left, isUsed ? this.#cut(disk, survival, where) : undefined)
      }
      const recovery = this.#known.get(left)
      if (recovery !== undefined) recoveries.add(recovery)
    }
    return { state, recoveries: [...recoveries], cuts }
  }

  #cut(disk: SimulatedFiles, survival: Survival, where: string): Recovery {
    const { disk: image } = new Machine('', disk)
    image.crashAs(survival)
    return this.#recoveries.afterPowerCut(image, `${where}, a power cut, of which survives ${survival.name}`)
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
