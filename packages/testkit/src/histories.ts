/** One course of events of a small model, drawn from a seed. */
export interface History {
  /** Lets something happen; returns what, in words, or nothing if it was none. */
  step(): Promise<string>
  /** What is not as promised now, in words. */
  wrong(): readonly string[]
}

/** Runs the histories of the seeds from 1 on, each for so many steps, and tells of the first that goes wrong: its seed, what happened, what is wrong. */
export async function firstWrongHistory(
  seeds: number,
  steps: number,
  begin: (seed: number) => Promise<History>,
): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const history = await begin(seed)
    const told: string[] = []
    for (let count = 0; count < steps; count++) {
      told.push(await history.step())
      const wrong = history.wrong()
      if (wrong.length > 0) return `seed ${seed}: ${told.filter(Boolean).join('; ')}: ${wrong.join(', ')}`
    }
  }
  return undefined
}
