import { engineApi } from './engine.ts'
import { demandImages } from './images.ts'
import { sweep } from './sweep.ts'

/**
 * Removes what container tests have left behind on this machine's engine; runs that still go on are left alone. With the argument `prepare` it
 * also says, in one sentence, what the tests would miss.
 */
try {
  const api = await engineApi()
  const removed = await sweep(api)
  if (removed > 0)
    process.stdout.write(`container tests: ${removed} things that a run left behind are removed\n`)
  if (process.argv.includes('prepare')) await demandImages(api)
} catch (failure) {
  process.stdout.write(`container tests: ${failure instanceof Error ? failure.message : String(failure)}\n`)
  process.exitCode = 1
}
