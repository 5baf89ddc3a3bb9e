import { codecSeeds } from './codec-seeds.ts'
import type { Seed } from './seed.ts'

/** Every sound input that the corpus begins with. */
export async function allSeeds(): Promise<readonly Seed[]> {
  return codecSeeds()
}
