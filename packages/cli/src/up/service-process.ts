import { type ChildProcess, spawn } from 'node:child_process'
import { BrokerError } from '@tandemmq/base'
import { parseReadyLine, READY_VARIABLE, type ReadyFacts } from '@tandemmq/platform-node'
import { splitLines } from './line-splitter.ts'

const READY_DESCRIPTOR = 3

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServiceCommand {
  readonly name: string
  /** The script of the service. */
  readonly script: string
  readonly config: string
  /** Settings of this start alone, `key=value`: they stand above the file. */
  readonly settings: readonly string[]
}

/**
 * Half of what V8 lets the young generation grow to: under load each service takes a third less memory, and no more processor time that could
 * be measured.
 */
const NODE_FLAGS = ['--max-semi-space-size=8']

/** One service as a process of its own. */
export class ServiceProcess {
  readonly name: string
  readonly config: string
  readonly pid: number
  /** What the service said when it was ready; rejects if it ends before. */
  readonly ready: Promise<ReadyFacts>
  /** Resolves when the process is gone and everything it printed has been passed on. */
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess

  /**
   * In a process group of its own, so that a Ctrl-C at the terminal reaches only the launcher, which then stops the services in
   * their order. They learn that the launcher is gone, however it ended, by the ready line's other end.
   */
  constructor(command: ServiceCommand, log: (line: string) => void) {
    this.name = command.name
    this.config = command.config
    const { script, config, settings } = command
    const args = [...NODE_FLAGS, ...process.execArgv, script, '-c', config, ...settings]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, [READY_VARIABLE]: String(READY_DESCRIPTOR) },
      detached: true,
    })
    this.#child = child
    for (const output of [child.stdout, child.stderr]) if (output !== null) splitLines(output, log)
    this.pid = child.pid ?? 0
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }))
      child.once('error', (failure) => {
        log(`could not be started: ${failure.message}`)
        if (child.pid === undefined) resolve({ code: null, signal: null })
      })
    })
    this.ready = Promise.race([readyFacts(child), this.#endedTooSoon()])
    // Whoever waits sees the rejection; a service that dies while the cluster stops has nobody waiting.
    this.ready.catch(() => undefined)
  }

  /** Asks the process to stop. A paused one is woken, so that it can. */
  terminate(): void {
    this.#child.kill('SIGTERM')
    this.#child.kill('SIGCONT')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #endedTooSoon(): Promise<never> {
    const ending = await this.ended
    throw new BrokerError('UNAVAILABLE', `${this.name} ${inWords(ending)} before it was ready`)
  }
}

/** `ended with code 1`, `was ended by SIGKILL`. */
export function inWords({ code, signal }: Ending): string {
  if (signal !== null) return `was ended by ${signal}`
  return code === null ? 'could not be started' : `ended with code ${code}`
}

function readyFacts(child: ChildProcess): Promise<ReadyFacts> {
  return new Promise((resolve) => {
    const line = child.stdio[READY_DESCRIPTOR]
    if (line === null || line === undefined || !('setEncoding' in line)) return
    line.on('error', () => undefined)
    splitLines(line, (text) => {
      const facts = parseReadyLine(text)
      if (facts !== undefined) resolve(facts)
    })
  })
}
