import { expect, test } from 'vitest'
import { firstWrongHistory, type History } from './histories.ts'

/** Goes wrong in the third step of seed 3. */
class Counted implements History {
  readonly #seed: number
  #steps = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  async step(): Promise<string> {
    this.#steps += 1
    return this.#steps === 2 ? '' : `step ${this.#steps}`
  }

  wrong(): readonly string[] {
    return this.#seed === 3 && this.#steps === 3 ? ['three of three'] : []
  }
}

const begin = async (seed: number): Promise<History> => new Counted(seed)

test('the first history that goes wrong is told: its seed, what happened, and what is wrong', async () => {
  expect(await firstWrongHistory(5, 9, begin)).toBe('seed 3: step 1; step 3: three of three')
  expect(await firstWrongHistory(2, 9, begin)).toBeUndefined()
  expect(await firstWrongHistory(5, 2, begin)).toBeUndefined()
})
