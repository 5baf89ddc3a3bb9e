import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { splitLines } from './line-splitter.ts'

/** `tandemmq up` as a process of its own, over stand-in services. */
export class Launched implements AsyncDisposable {
  readonly process: ChildProcess
  readonly out: string[] = []
  readonly err: string[] = []
  readonly ended: Promise<number | null>
  #watchers: (() => void)[] = []

  constructor(data: string, flags: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const standIns = join(import.meta.dirname, 'stand-in')
    const args = [
      'up',
      '--data',
      data,
      '--services-from',
      standIns,
      '--grpc-port',
      '0',
      '--http-port',
      '0',
      ...flags,
    ]
    const main = join(import.meta.dirname, '..', 'main.ts')
    const child = spawn(process.execPath, ['--conditions=@tandemmq/source', main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.process = child
    const take = (lines: string[]) => (line: string) => {
      lines.push(line)
      for (const watcher of this.#watchers) watcher()
    }
    splitLines(child.stdout, take(this.out))
    splitLines(child.stderr, take(this.err))
    this.ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  }

  /** The first line of either output that contains `text`; rejects if the launcher ends without one. */
  async line(text: string): Promise<string> {
    const find = (): string | undefined => [...this.out, ...this.err].find((line) => line.includes(text))
    const found = new Promise<string>((resolve) => {
      const look = (): void => {
        const line = find()
        if (line !== undefined) resolve(line)
      }
      this.#watchers.push(look)
      look()
    })
    const over = this.ended.then(() => {
      const line = find()
      if (line !== undefined) return line
      throw new Error(`no line with "${text}" in:\n${[...this.out, ...this.err].join('\n')}`)
    })
    return Promise.race([found, over])
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.process.kill(signal)
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGTERM')
    await this.ended
  }
}

/** A directory that is removed with everything in it. */
export function temporaryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'tandemmq-up-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
