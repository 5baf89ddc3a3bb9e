import { join } from 'node:path'
import { root, runTool } from '../step.ts'

const script = join(root, '.ci', 'docker-engine')

/** A Docker engine answers, and is stopped again when it was started for us. */
export class Engine {
  #started: Promise<boolean> | undefined

  /** Whether one answers; tried once. */
  start(): Promise<boolean> {
    this.#started ??= runTool(script, ['start'])
    return this.#started
  }

  async stop(): Promise<void> {
    if (this.#started !== undefined) await runTool(script, ['stop'])
  }
}
