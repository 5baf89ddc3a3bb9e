/** What a piece of work took. */
export interface Cost {
  /** Processor time of the whole process, its helper threads included, µs. */
  readonly cpuUs: number
  readonly wallUs: number
}

export async function costOf(work: () => unknown): Promise<Cost> {
  const wallBefore = performance.now()
  const cpuBefore = process.cpuUsage()
  await work()
  const cpu = process.cpuUsage(cpuBefore)
  return { cpuUs: cpu.user + cpu.system, wallUs: (performance.now() - wallBefore) * 1000 }
}

/** Of several rounds of the same work. */
export class Samples {
  readonly #values: number[] = []

  add(value: number): void {
    this.#values.push(value)
  }

  /** In the order in which they were added. */
  get values(): readonly number[] {
    return this.#values
  }

  get median(): number {
    const sorted = this.#values.toSorted((a, b) => a - b)
    const upper = sorted[sorted.length >> 1] ?? Number.NaN
    const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
    return rounded((upper + lower) / 2)
  }

  /** Smallest and largest. */
  get range(): readonly [number, number] {
    return [rounded(Math.min(...this.#values)), rounded(Math.max(...this.#values))]
  }
}

/** Three digits that count are more than any figure here is worth. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
}

/**
 * Runs all of `contestants` in every round, the order turned around each time, so that whatever happens to the machine meanwhile meets all. The
 * first `warmUps` rounds do not count.
 */
export async function inTurns(
  rounds: number,
  warmUps: number,
  contestants: readonly ((isCounted: boolean) => Promise<void>)[],
): Promise<void> {
  for (let round = 0; round < warmUps + rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed()
    for (const contestant of order) await contestant(round >= warmUps)
  }
}
