import { engineApi } from './engine.ts'
import { demandImages } from './images.ts'
import { run, RUN_VARIABLE } from './labels.ts'
import { sweep } from './sweep.ts'

/** Before all tests: is there an engine, are there images, what has an earlier run left? After them: nothing stays. */
export async function setup(): Promise<() => Promise<void>> {
  // The processes in which tests run mark what they make as this run's.
  process.env[RUN_VARIABLE] = run
  const api = await engineApi()
  await demandImages(api)
  await sweep(api)
  return async () => {
    await sweep(api)
  }
}
