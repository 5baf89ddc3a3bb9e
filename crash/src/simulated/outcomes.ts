import type { Outcome, Recovery } from './recoveries.ts'

/**
 * All that the starts after a crash may show, however often they die themselves: of every recovery that can be reached. Recoveries
 * lead back to one another; those that do share their outcomes (Tarjan's strongly connected components).
 */
export function outcomesOf(root: Recovery): ReadonlySet<Outcome> {
  if (root.outcomes === undefined) new Components().visit(root)
  return root.outcomes ?? new Set()
}

/** What a start after a SIGKILL may show if nothing but SIGKILLs happen to it. */
export function outcomesOfKills(root: Recovery): ReadonlySet<Outcome> {
  const seen = new Set([root])
  const outcomes = new Set<Outcome>()
  for (const { outcome, afterKills } of seen) {
    if (outcome !== undefined) outcomes.add(outcome)
    for (const next of afterKills) seen.add(next)
  }
  return outcomes
}

interface Visit {
  readonly recovery: Recovery
  readonly next: Iterator<Recovery>
  readonly index: number
  /** The earliest recovery that it leads back to. */
  low: number
  readonly outcomes: Set<Outcome>
}

class Components {
  readonly #visits = new Map<Recovery, Visit>()
  /** Visited, of components that are not complete. */
  readonly #open: Visit[] = []

  visit(root: Recovery): void {
    const path = [this.#begin(root)]
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const { done, value: next } = visit.next.next()
      if (done !== true) {
        const known = this.#visits.get(next)
        if (next.outcomes !== undefined) addAll(visit.outcomes, next.outcomes)
        else if (known === undefined) path.push(this.#begin(next))
        else visit.low = Math.min(visit.low, known.low)
        continue
      }
      path.pop()
      if (visit.low === visit.index) this.#complete(visit)
      const above = path.at(-1)
      if (above === undefined) continue
      above.low = Math.min(above.low, visit.low)
      addAll(above.outcomes, visit.outcomes)
    }
  }

  #begin(recovery: Recovery): Visit {
    const index = this.#visits.size
    const { outcome } = recovery
    const outcomes = new Set(outcome === undefined ? [] : [outcome])
    const next = [...recovery.afterPowerCuts, ...recovery.afterKills].values()
    const visit: Visit = { recovery, next, index, low: index, outcomes }
    this.#visits.set(recovery, visit)
    this.#open.push(visit)
    return visit
  }

  #complete(visit: Visit): void {
    const from = this.#open.indexOf(visit)
    const members = this.#open.splice(from)
    for (const { outcomes } of members) addAll(visit.outcomes, outcomes)
    for (const { recovery } of members) recovery.outcomes = visit.outcomes
  }
}

function addAll<T>(target: Set<T>, items: ReadonlySet<T>): void {
  for (const item of items) target.add(item)
}
