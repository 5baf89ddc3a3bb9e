import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where one system plays one scenario: a directory, and the processes that were started there. */
export class Stage implements AsyncDisposable {
  readonly directory: string
  readonly masterStore: string
  readonly slaveStore: string
  readonly #processes: Promise<AsyncDisposable>[] = []
  #homes = 0
  #isOver = false

  constructor(directory: string) {
    this.directory = directory
    this.masterStore = join(directory, 'master')
    this.slaveStore = join(directory, 'slave')
    mkdirSync(directory, { recursive: true })
  }

  /** A directory for configuration and logs of one start of a process. */
  home(name: string): string {
    this.#homes += 1
    return join(this.directory, `${String(this.#homes).padStart(2, '0')}-${name}`)
  }

  /** Starts something that ends with the stage, even if it comes up only then. Nothing is started any more once the stage is over. */
  async start<T extends AsyncDisposable>(begin: () => T | Promise<T>): Promise<T> {
    if (this.#isOver) throw new Error('the stage is over')
    const started = Promise.resolve(begin())
    this.#processes.push(started)
    return started
  }

  /** Ends everything, the youngest first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    for (const started of this.#processes.splice(0).toReversed()) {
      const process = await started.catch(() => undefined)
      await process?.[Symbol.asyncDispose]()
    }
  }
}
