import { Worker } from 'node:worker_threads'
import type { Verdict } from '../target.ts'
import { WatchedInput } from './watched-input.ts'
import type { WorkerTask } from './worker.ts'

export interface WatchedResult {
  readonly executions: number
  readonly verdicts?: Readonly<Record<Verdict, number>>
  readonly finding?: { readonly input: Uint8Array; readonly words: string }
}

/** An execution that takes longer is an endless loop, or as good as one. */
const HANG_MS = 20_000
const LOOK_EVERY_MS = 1_000
const HEAP_MB = 768

/** Fuzzes a target in a worker, so that an input that never ends or takes all memory is a finding like any other. */
export function watch(target: string, seed: number, seconds: number): Promise<WatchedResult> {
  const watched = new WatchedInput()
  const workerData: WorkerTask = { target, seed, timeMs: seconds * 1000, memory: watched.memory }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  return new Promise((resolve) => {
    let seen = -1
    let since = Date.now()
    const look = setInterval(() => {
      if (watched.executions !== seen) {
        seen = watched.executions
        since = Date.now()
      } else if (Date.now() - since > HANG_MS) {
        finish({ executions: seen, finding: { input: watched.input, words: `no end within ${HANG_MS} ms` } })
      }
    }, LOOK_EVERY_MS)
    const finish = (result: WatchedResult): void => {
      clearInterval(look)
      resolve(result)
      void worker.terminate()
    }
    worker.once('message', finish)
    worker.once('error', (error) => {
      finish({
        executions: watched.executions,
        finding: { input: watched.input, words: error.stack ?? error.message },
      })
    })
  })
}
