import { rounded, Samples } from '../storage/measure.ts'

/** How much less a second is done at `sync` than at `async`, %. */
export function cost(sync: number, async: number): number {
  return rounded(100 * (1 - sync / async))
}

/** Of rounds that were run one beside the other, each against its neighbour: whatever else the machine did met both. */
export function syncCost(
  sync: readonly number[],
  async: readonly number[],
): { readonly syncCostPercent: number; readonly syncCostPercentRange: readonly [number, number] } {
  const costs = new Samples()
  for (const [round, rate] of sync.entries()) costs.add(cost(rate, async[round] ?? Number.NaN))
  return { syncCostPercent: costs.median, syncCostPercentRange: costs.range }
}
