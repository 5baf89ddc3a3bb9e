import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { LogLines } from '@tandemmq/interop'
import { CLASSES, LIB } from './cache.ts'
import { javaTool } from './java-tools.ts'

/** Small, and quick to start: these machines live for seconds. */
const JVM_FLAGS = [
  '-Xms64m',
  '-Xmx128m',
  '-XX:MaxDirectMemorySize=256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Xshare:auto',
]

/** What of a Java machine differs from those of the tests. */
export interface JavaMachine {
  readonly flags?: readonly string[]
  /** Where its program was compiled to. */
  readonly classes?: string
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Only ends a wait that would never end: the start of a machine takes 5 s, and a minute where many share two cores. */
const START_WITHIN_MS = 120_000

/** One Java machine. It is ended when its scope is left. */
export class JavaProcess implements AsyncDisposable {
  /** What it printed. */
  readonly lines = new LogLines()
  /** Apache's log files lie below. */
  readonly home: string
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves with the exit code, or the signal's name, when all it printed is in {@link lines}. */
  readonly exit: Promise<number | string>

  /** `home`: a directory of its own, for everything it writes outside of its store. */
  constructor(home: string, main: string, args: readonly string[], machine: JavaMachine = {}) {
    this.home = home
    mkdirSync(join(home, 'rocketmq'), { recursive: true })
    const { flags: machineFlags = JVM_FLAGS, classes = CLASSES, environment = {} } = machine
    const flags = [...machineFlags, `-Duser.home=${home}`, '-cp', `${classes}:${LIB}/*`]
    this.child = spawn(javaTool('java'), [...flags, main, ...args], {
      stdio: 'pipe',
      env: { ...process.env, ROCKETMQ_HOME: join(home, 'rocketmq'), ...environment },
    })
    this.lines.follow(this.child.stdout)
    this.lines.follow(this.child.stderr)
    this.exit = once(this.child, 'close').then(([code, signal]: unknown[]) =>
      typeof code === 'number' ? code : String(signal),
    )
  }

  /** A printed line that contains `words`. Rejects at once if the process ends first. */
  async says(words: string): Promise<string> {
    const ended = this.exit.then((how) => {
      throw new Error(`it ended (${how}) before it said "${words}":\n${this.lines.all.slice(-30).join('\n')}`)
    })
    ended.catch(() => undefined)
    return Promise.race([this.lines.line([words], 0, START_WITHIN_MS), ended])
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
    this.child.kill(signal)
    return this.exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL')
  }
}
