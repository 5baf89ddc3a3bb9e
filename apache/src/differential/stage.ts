import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where one system plays one scenario: a directory, and the processes that were started there. */
export class Stage implements AsyncDisposable {
  readonly directory: string
  readonly masterStore: string
  readonly slaveStore: string
  readonly #processes: AsyncDisposable[] = []
  #homes = 0

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

  /** Ends it with the stage. */
  keep<T extends AsyncDisposable>(process: T): T {
    this.#processes.push(process)
    return process
  }

  /** Ends all processes, the youngest first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.splice(0).toReversed()) await process[Symbol.asyncDispose]()
  }
}
