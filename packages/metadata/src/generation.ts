/** Numbers the resets of one queue's progress: the higher one wins, whatever came under a lower one is void (rule 5.4). */
export interface Generation {
  readonly servingEpoch: number
  readonly counter: number
}

export const GENERATION_ZERO: Generation = { servingEpoch: 0, counter: 0 }

export function compareGenerations(a: Generation, b: Generation): number {
  return a.servingEpoch - b.servingEpoch || a.counter - b.counter
}

/** The first generation after `last` that belongs to `servingEpoch` or a later one. */
export function nextGeneration(last: Generation, servingEpoch: number): Generation {
  return servingEpoch > last.servingEpoch
    ? { servingEpoch, counter: 1 }
    : { servingEpoch: last.servingEpoch, counter: last.counter + 1 }
}
