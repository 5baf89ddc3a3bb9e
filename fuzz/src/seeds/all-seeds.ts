import { codecSeeds } from './codec-seeds.ts'
import { scriptSeeds } from './script-seeds.ts'
import { stateSeeds } from './state-seeds.ts'
import { requestSeeds } from './request-seeds.ts'
import type { Seed } from './seed.ts'

/** Every sound input that the corpus begins with. */
export async function allSeeds(): Promise<readonly Seed[]> {
  return [...codecSeeds(), ...scriptSeeds(), ...(await stateSeeds()), ...requestSeeds()]
}
