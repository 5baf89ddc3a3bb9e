import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

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
  readonly ha?: string
}

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

/** A cluster as `npm start` brings it up: real processes on this machine, in a directory of their own. */
export class LocalCluster implements AsyncDisposable {
  readonly data: string
  readonly ready: ReadyLine
  readonly #launcher: ChildProcess
  readonly #pids = new Map<string, number>()
  readonly #restarted = new Map<string, ChildProcess>()
  readonly #log: string[]
  readonly #keepData: boolean

  private constructor(
    data: string,
    keepData: boolean,
    launcher: ChildProcess,
    ready: ReadyLine,
    log: string[],
  ) {
    this.data = data
    this.ready = ready
    this.#keepData = keepData
    this.#launcher = launcher
    this.#log = log
    for (const [name, service] of Object.entries(ready.services)) this.#pids.set(name, service.pid)
  }

  /**
   * Starts `tandemmq up` on free ports and resolves when it says it is ready.
   * @param flags for instance `['--replication', 'async']`
   * @param data a directory to go on with; absent: a fresh one, removed at the end
   */
  static async start(flags: readonly string[] = [], data?: string): Promise<LocalCluster> {
    const directory = data ?? (await mkdtemp(join(tmpdir(), 'tandemmq-')))
    const launcher = spawn(
      process.execPath,
      [
        ...sourceCondition,
        join(REPOSITORY, 'packages/cli/src/main.ts'),
        'up',
        '--json',
        '--data',
        directory,
        '--grpc-port',
        '0',
        '--http-port',
        '0',
        ...flags,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_COMPILE_CACHE: join(REPOSITORY, 'node_modules/.cache/compile') },
      },
    )
    const log: string[] = []
    createInterface({ input: launcher.stderr }).on('line', (line) => log.push(line))
    const ready = await firstReadyLine(launcher, log)
    return new LocalCluster(directory, data !== undefined, launcher, ready, log)
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

  /** Starts one service again with the configuration the launcher wrote; resolves when it says it is ready. */
  async restart(service: string): Promise<void> {
    const line = this.ready.services[service]
    if (line === undefined) throw new Error(`the cluster has no ${service}`)
    const kind = service.includes('slave')
      ? 'broker-slave'
      : service.includes('master')
        ? 'broker-master'
        : 'metadata-rpc'
    const child = spawn(
      process.execPath,
      [...sourceCondition, join(REPOSITORY, 'services', kind, 'src/main.ts'), '-c', line.config],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          TANDEMMQ_READY_FD: '3',
          NODE_COMPILE_CACHE: join(REPOSITORY, 'node_modules/.cache/compile'),
        },
      },
    )
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (text) => this.#log.push(`${service} ${text}`))
    }
    const readyPipe = child.stdio[3]
    if (readyPipe === null || readyPipe === undefined || !('on' in readyPipe))
      throw new Error('no ready pipe')
    await Promise.race([
      once(readyPipe, 'data'),
      once(child, 'exit').then(([code]) => {
        throw new Error(
          `${service} ended with ${String(code)} before it was ready:\n${this.log.slice(-20).join('\n')}`,
        )
      }),
    ])
    this.#restarted.set(service, child)
    if (child.pid !== undefined) this.#pids.set(service, child.pid)
  }

  /** What the launcher and its services have printed. */
  get log(): readonly string[] {
    return this.#log
  }

  /** Ends everything that was started here and waits for it. Returns the launcher's exit code. */
  async stop(): Promise<number | null> {
    for (const child of this.#restarted.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    if (this.#launcher.exitCode === null && this.#launcher.signalCode === null) {
      this.#launcher.kill('SIGTERM')
      await once(this.#launcher, 'exit')
    }
    if (!this.#keepData) await rm(this.data, { recursive: true, force: true })
    return this.#launcher.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** From a checkout the sources run as they are. */
const sourceCondition = import.meta.url.endsWith('.ts') ? ['--conditions=@tandemmq/source'] : []

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
