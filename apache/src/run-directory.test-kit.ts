import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'
import { RUNS } from './cache.ts'

/** Where one test works. It stays, with all logs, if the test fails. */
export class RunDirectory {
  readonly path: string
  #homes = 0

  constructor({ task }: TestContext) {
    this.path = join(RUNS, task.name.replaceAll(/\W+/g, '-').slice(0, 60))
    rmSync(this.path, { recursive: true, force: true })
    mkdirSync(this.path, { recursive: true })
    onTestFinished(() => {
      if (task.result?.state === 'pass') rmSync(this.path, { recursive: true, force: true })
      else process.stdout.write(`stores and logs of this test are in ${this.path}\n`)
    })
  }

  join(name: string): string {
    return join(this.path, name)
  }

  /** A directory for configuration and logs of one start of a process. */
  home(name: string): string {
    this.#homes += 1
    return this.join(`${String(this.#homes).padStart(2, '0')}-${name}`)
  }

  /** Copies a store as it lies there. */
  copy(from: string, to: string): string {
    cpSync(this.join(from), this.join(to), { recursive: true })
    return this.join(to)
  }
}
