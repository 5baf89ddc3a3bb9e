import { join } from 'node:path'
import { CACHE, JavaProcess, ToolMissing, compilePrograms, fetchJars, javaTool } from '@tandemmq/apache'
import type { Cost } from './measure.ts'

/** As bin/runbroker.sh starts a broker, with a smaller heap. */
const JVM_FLAGS = [
  '-server',
  '-Xms1g',
  '-Xmx1g',
  '-XX:+UseG1GC',
  '-XX:MaxDirectMemorySize=1g',
  '-XX:-UsePerfData',
]
const CLASSES = join(CACHE, 'bench-classes')

/** Genuine Apache RocketMQ's store in a Java machine, fed by bench/java/StoreBench.java. */
export class ApacheStore implements AsyncDisposable {
  readonly #machine: JavaProcess
  #rounds = 0

  private constructor(machine: JavaProcess) {
    this.#machine = machine
  }

  /** `undefined`: there is no JDK or no Maven here, which is said on stderr. */
  static async start(
    directory: string,
    flush: 'ASYNC_FLUSH' | 'SYNC_FLUSH',
  ): Promise<ApacheStore | undefined> {
    try {
      javaTool('java')
      fetchJars()
      compilePrograms('bench-classes', join(import.meta.dirname, '..', '..', 'java'), CLASSES)
    } catch (failure) {
      if (!(failure instanceof ToolMissing)) throw failure
      process.stderr.write(`Apache's store is left out: ${failure.message}\n`)
      return undefined
    }
    const args = [join(directory, 'store'), flush]
    const machine = new JavaProcess(directory, 'StoreBench', args, { flags: JVM_FLAGS, classes: CLASSES })
    await machine.says('ready')
    return new ApacheStore(machine)
  }

  /** Appends `count` messages; all are in consume queues and index when it resolves. */
  async append(count: number, bodyBytes: number, inFlight: number): Promise<Cost> {
    this.#rounds += 1
    const round = `r${this.#rounds}`
    this.#machine.child.stdin.write(`${round} ${bodyBytes} ${count} ${inFlight}\n`)
    const [, , cpuUs, wallUs] = (await this.#machine.says(`done ${round} `)).split(' ').map(Number)
    return { cpuUs: cpuUs ?? Number.NaN, wallUs: wallUs ?? Number.NaN }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#machine.child.stdin.end()
    await this.#machine.exit
    await this.#machine[Symbol.asyncDispose]()
  }
}
