import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ClusterApi } from './cluster-api.ts'
import { LogLines } from './log-lines.ts'
import { environment, launcherCommand, serviceCommand } from './service-command.ts'
import { until } from './until.ts'

/** The line the launcher prints when all services are up. */
export interface ReadyLine {
  readonly ready: true
  /** `host:port` for clients. */
  readonly grpc: string
  readonly http: string
  readonly okMeans: string
  readonly startMs: number
  readonly services: Readonly<Record<string, ServiceLine>>
}

export interface ServiceLine {
  readonly pid: number
  readonly config: string
  readonly grpc?: string
  /** URL of health, readiness and metrics. */
  readonly http?: string
  readonly ha?: string
}

/** How often a start is tried whose ports were taken by somebody else in the same moment. */
const PORT_ATTEMPTS = 3

/** A cluster as `npm start` brings it up: real processes on this machine, in a directory of their own. */
export class LocalCluster implements AsyncDisposable {
  readonly data: string
  readonly ready: ReadyLine
  readonly api: ClusterApi
  /** What the launcher and its services have printed. */
  readonly lines: LogLines
  readonly #launcher: ChildProcess
  readonly #pids = new Map<string, number>()
  readonly #restarted = new Map<string, ChildProcess>()
  readonly #keepData: boolean

  private constructor(
    data: string,
    keepData: boolean,
    launcher: ChildProcess,
    ready: ReadyLine,
    lines: LogLines,
  ) {
    this.data = data
    this.ready = ready
    this.lines = lines
    this.api = new ClusterApi(ready.http, readFileSync(join(data, 'conf', 'admin-token'), 'utf8').trim())
    this.#keepData = keepData
    this.#launcher = launcher
    for (const [name, service] of Object.entries(ready.services)) this.#pids.set(name, service.pid)
  }

  /**
   * Starts `tandemmq up` on free ports and resolves when it says it is ready.
   * @param flags for instance `['--replication', 'async']`
   * @param data a directory to go on with; absent: a fresh one, removed at the end
   */
  static async start(flags: readonly string[] = [], data?: string): Promise<LocalCluster> {
    const directory = data ?? (await freshDirectory())
    for (let attempt = 1; ; attempt++) {
      const lines = new LogLines()
      try {
        return await LocalCluster.#startOnce(flags, directory, data !== undefined, lines)
      } catch (failure) {
        // Launchers that start at the same moment may pick the same free port before one of them has bound it.
        if (attempt === PORT_ATTEMPTS || !lines.all.some((line) => line.includes('EADDRINUSE'))) throw failure
      }
    }
  }

  static async #startOnce(
    flags: readonly string[],
    directory: string,
    keepData: boolean,
    lines: LogLines,
  ): Promise<LocalCluster> {
    const ports = ['--grpc-port', '0', '--http-port', '0']
    const command = launcherCommand('--json', '--data', directory, ...ports, ...flags)
    const launcher = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    lines.follow(launcher.stderr)
    const ready = await firstReadyLine(launcher, lines.all)
    return new LocalCluster(directory, keepData, launcher, ready, lines)
  }

  /** The address for clients. */
  get endpoints(): string {
    return this.ready.grpc
  }

  get launcherPid(): number {
    return this.#launcher.pid ?? 0
  }

  pid(service: string): number {
    const pid = this.#pids.get(service)
    if (pid === undefined) throw new Error(`no service ${service} runs`)
    return pid
  }

  /** Sends a signal to one service, for instance `SIGKILL`. */
  signal(service: string, signal: NodeJS.Signals): void {
    process.kill(this.pid(service), signal)
  }

  /** Ends one service by a signal; resolves when its process is gone. */
  async end(service: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const pid = this.pid(service)
    process.kill(pid, signal)
    await until(`the end of ${service}`, () => !isAlive(pid))
  }

  /**
   * Starts one service again with the configuration the launcher wrote; resolves when it says it is ready.
   * @param settings `key=value`, stronger than the file
   */
  async restart(service: string, settings: readonly string[] = []): Promise<void> {
    const line = this.ready.services[service]
    if (line === undefined) throw new Error(`the cluster has no ${service}`)
    const child = spawn(process.execPath, serviceCommand(service, '-c', line.config, ...settings), {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...environment, TANDEMMQ_READY_FD: '3' },
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) this.lines.follow(stream, `${service} | `)
    }
    this.#restarted.set(service, child)
    if (child.pid !== undefined) this.#pids.set(service, child.pid)
    const readyPipe = child.stdio[3]
    if (readyPipe === null || readyPipe === undefined || !('on' in readyPipe))
      throw new Error('no ready pipe')
    const ended = once(child, 'exit').then(([code]) => {
      const last = this.log.slice(-20).join('\n')
      throw new Error(`${service} ended with ${String(code)} before it was ready:\n${last}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(readyPipe, 'data'), ended])
  }

  /** What the launcher and its services have printed. */
  get log(): readonly string[] {
    return this.lines.all
  }

  /** Ends everything that was started here and waits for it. Returns the launcher's exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    for (const child of this.#restarted.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const exit = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await exit
    }
    if (this.#launcher.exitCode === null && this.#launcher.signalCode === null) {
      const exit = once(this.#launcher, 'exit')
      this.#launcher.kill(signal)
      await exit
    }
    if (!this.#keepData) await rm(this.data, { recursive: true, force: true })
    return this.#launcher.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A directory of its own under the system's temporary one. */
export function freshDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tandemmq-'))
}

async function firstReadyLine(launcher: ChildProcess, log: readonly string[]): Promise<ReadyLine> {
  if (launcher.stdout === null) throw new Error('the launcher has no stdout')
  const ended = once(launcher, 'exit').then(([code]) => {
    throw new Error(
      `the launcher ended with ${String(code)} before it was ready:\n${log.slice(-30).join('\n')}`,
    )
  })
  const [line] = await Promise.race([once(createInterface({ input: launcher.stdout }), 'line'), ended])
  ended.catch(() => undefined)
  const parsed: ReadyLine = JSON.parse(String(line))
  return parsed
}
