import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { LogLines } from './log-lines.ts'
import { environment, launcherCommand, serviceCommand } from './service-command.ts'

/** One process that was started by hand, perhaps only to see it refuse. It is ended when the scope is left. */
export class LoneService implements AsyncDisposable {
  readonly lines = new LogLines()
  /** The exit code; null: ended by a signal. Resolves when everything it printed is in {@link lines}. */
  readonly exit: Promise<number | null>
  readonly #child: ChildProcess

  private constructor(command: readonly string[], settings: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environment, ...settings },
    })
    this.#child = child
    this.lines.follow(child.stdout)
    this.lines.follow(child.stderr)
    this.exit = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  }

  /** `args`: `-c FILE` and `key=value`. */
  static start(service: string, ...args: readonly string[]): LoneService {
    return new LoneService(serviceCommand(service, ...args))
  }

  /** The same with environment variables of its own. */
  static startWith(
    settings: Readonly<Record<string, string>>,
    service: string,
    ...args: readonly string[]
  ): LoneService {
    return new LoneService(serviceCommand(service, ...args), settings)
  }

  static launcher(...args: readonly string[]): LoneService {
    return new LoneService(launcherCommand(...args))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Waits for its end by itself: exit code and all it said. */
  async refusal(): Promise<{ readonly code: number | null; readonly said: string }> {
    const code = await this.exit
    return { code, said: this.lines.all.join('\n') }
  }

  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exit
  }

  /** Ends it without a word. */
  kill(): Promise<number | null> {
    this.#child.kill('SIGKILL')
    return this.exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
