import { until, type LogLines } from '@tandemmq/interop'
import type { StartedTestContainer } from 'testcontainers'
import { engine, engineApi } from './engine.ts'
import { imageOf } from './images.ts'
import type { TestNetwork } from './network.ts'
import { GRPC_PORT, HTTP_PORT, type ServicePlan } from './service-plan.ts'
import { WiredContainer } from './wired-container.ts'

/** Where data lies in a container. */
const DATA = '/var/lib/tandemmq'

export interface ContainerSurroundings {
  readonly network: TestNetwork
  /** A directory of this machine, seen as /run/secrets. */
  readonly secrets: string
  /** A volume's name, or bytes of memory that stand for a small disk. */
  readonly data: { readonly volume: string } | { readonly memoryBytes: number }
  readonly lines: LogLines
  /** Ports of this machine for those of the container; absent: any. They stay when the container is started again. */
  readonly publish?: { readonly grpc: number; readonly http: number }
}

/** What a service answers to `GET /readyz`. */
export interface Readiness {
  readonly status: number
  readonly body: string
}

/** One service in its container, and what can happen to it. */
export class ServiceContainer {
  readonly plan: ServicePlan
  readonly #around: ContainerSurroundings
  readonly #started: StartedTestContainer
  #http: number
  #isConnected = true

  private constructor(plan: ServicePlan, around: ContainerSurroundings, started: StartedTestContainer) {
    this.plan = plan
    this.#around = around
    this.#started = started
    this.#http = started.getMappedPort(HTTP_PORT)
  }

  /** Resolves when its process has said its first line. */
  static async start(plan: ServicePlan, around: ContainerSurroundings): Promise<ServiceContainer> {
    const { network, secrets, data, lines, publish } = around
    const container = new WiredContainer(imageOf(plan.kind), network.name, plan.name, plan.aliases)
      .withEnvironment(plan.environment)
      .withLogConsumer((stream) => lines.follow(stream, `${plan.name} | `))
    const mounts = [{ source: secrets, target: '/run/secrets', mode: 'ro' as const }]
    if ('volume' in data) {
      container.withBindMounts([...mounts, { source: data.volume, target: DATA, mode: 'rw' }])
    } else {
      container.withBindMounts(mounts)
      container.withTmpFs({ [DATA]: `size=${data.memoryBytes},mode=0700,uid=1000,gid=1000` })
    }
    container.withExposedPorts(
      ...(publish === undefined
        ? [GRPC_PORT, HTTP_PORT]
        : [
            { container: GRPC_PORT, host: publish.grpc },
            { container: HTTP_PORT, host: publish.http },
          ]),
    )
    return new ServiceContainer(plan, around, await container.start())
  }

  get name(): string {
    return this.plan.name
  }

  /** Of the whole container, as the engine names it. */
  get id(): string {
    return this.#started.getId()
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await (await this.#container()).kill({ signal })
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    const container = await this.#container()
    const gone = container.wait()
    await container.kill({ signal: 'SIGKILL' })
    await gone
  }

  /** As `docker stop`: SIGTERM, and SIGKILL after `graceSeconds`. Resolves with the exit code. */
  async stop(graceSeconds = 15): Promise<number> {
    const container = await this.#container()
    await container.stop({ t: graceSeconds })
    return (await container.inspect()).State.ExitCode
  }

  /** Starts the same container again: same name, data, configuration; perhaps another address. */
  async startAgain(): Promise<void> {
    const { container } = await engine()
    const mine = container.getById(this.id)
    // Attached before the start: not one line is missed, and none comes twice.
    this.#around.lines.follow(await container.attach(mine), `${this.name} | `)
    await mine.start()
    await this.#refresh()
  }

  /** Every process in it stops being run, as by SIGSTOP; its connections stay open and silent. */
  async pause(): Promise<void> {
    const container = await this.#container()
    await until(`${this.name} to be paused`, async () => {
      // On a busy machine the kernel may not have frozen all its threads when the engine gives up: the next try does it.
      await container.pause()
      return true
    })
  }

  async unpause(): Promise<void> {
    await (await this.#container()).unpause()
  }

  async disconnect(): Promise<void> {
    await this.#around.network.disconnect(this.id)
    this.#isConnected = false
  }

  async connect(): Promise<void> {
    await this.#around.network.connect(this.id, [this.name, ...(this.plan.aliases ?? [])])
    this.#isConnected = true
    await this.#refresh()
  }

  /** Undoes whatever was done to it. */
  async heal(): Promise<void> {
    const { State } = await (await this.#container()).inspect()
    if (State.Paused) await this.unpause()
    if (!this.#isConnected) await this.connect()
    if (!State.Running) await this.startAgain()
  }

  /** Asks over HTTP. Rejects when nobody answers. */
  async readiness(): Promise<Readiness> {
    const answer = await this.http('/readyz')
    return { status: answer.status, body: await answer.text() }
  }

  http(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#http}${path}`, { signal: AbortSignal.timeout(3_000) })
  }

  /** Runs a piece of JavaScript in the container's own Node; its output. Throws what it wrote if it fails. */
  async evaluate(script: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.#started.exec(['node', '-e', script, ...args])
    if (exitCode !== 0) throw new Error(`in ${this.name}: ${output}`)
    return output
  }

  async remove(): Promise<void> {
    await (await this.#container()).remove({ force: true, v: true })
  }

  async #container() {
    return (await engineApi()).getContainer(this.id)
  }

  /** The engine may publish other ports after a start. */
  async #refresh(): Promise<void> {
    const { NetworkSettings } = await (await this.#container()).inspect()
    const [binding] = NetworkSettings.Ports[`${HTTP_PORT}/tcp`] ?? []
    if (binding !== undefined) this.#http = Number(binding.HostPort)
  }
}
