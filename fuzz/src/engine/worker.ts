import { parentPort, workerData } from 'node:worker_threads'
import { targetNamed } from '../targets.ts'
import { runCampaign } from './campaign.ts'
import { readCorpus } from './corpus.ts'
import type { WatchedResult } from './watch.ts'
import { WatchedInput } from './watched-input.ts'

/** What {@link watch} gives a worker. */
export interface WorkerTask {
  readonly target: string
  readonly seed: number
  readonly timeMs: number
  readonly memory: SharedArrayBuffer
}

const task: WorkerTask = workerData
const watched = new WatchedInput(task.memory)
const result = await runCampaign(targetNamed(task.target), {
  seed: task.seed,
  timeMs: task.timeMs,
  corpus: readCorpus(task.target).map(({ bytes }) => bytes),
  before: (input) => watched.begin(input),
})
const { finding, executions, verdicts } = result
const message: WatchedResult = {
  executions,
  verdicts,
  ...(finding && { finding: { input: finding.input, words: wordsOf(finding.error) } }),
}
parentPort?.postMessage(message, [])

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
