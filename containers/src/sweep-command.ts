import { engineApi } from './engine.ts'
import { sweep } from './sweep.ts'

/** Removes what container tests have left behind on this machine's engine; runs that still go on are left alone. */
const removed = await sweep(await engineApi())
if (removed > 0)
  process.stdout.write(`container tests: ${removed} things that a run left behind are removed\n`)
