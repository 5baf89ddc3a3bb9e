import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterApi, LogLines, until } from '@tandemmq/interop'
import { RandomPortGenerator } from 'testcontainers'
import { logChecksum } from './log-checksum.ts'
import { TestNetwork } from './network.ts'
import { ServiceContainer } from './service-container.ts'
import { servicePlans, type Replication, type ServiceName, type ServicePlan } from './service-plan.ts'

const SET_SECRET = 'the secret that brokers of these tests share'
const ADMIN_TOKEN = 'the token of an administrator of these tests'

export interface ClusterOptions {
  readonly replication: Replication
  /** 1 or 2, default 1. */
  readonly slaves?: number
  /** A second metadata-rpc relays for the first. */
  readonly relay?: boolean
  /** Settings beside those of the plan. */
  readonly settings?: Partial<Readonly<Record<ServiceName, Readonly<Record<string, string>>>>>
  /** Services whose data lies on a small disk of this many bytes, which forgets all at a stop. */
  readonly smallDisks?: Partial<Readonly<Record<ServiceName, number>>>
}

/** What one service is given beside, or instead of, what the rest is given. */
export interface Difference {
  readonly settings?: Readonly<Record<string, string>>
  readonly secret?: string
}

/** Services as containers on a network of their own, wired by configuration only. Everything is removed when the scope is left. */
export class ContainerCluster implements AsyncDisposable {
  /** Where clients of this machine find it: a port that stays when metadata-rpc is started again. */
  readonly endpoints: string
  readonly api: ClusterApi
  /** What all containers have printed, each line with its service before it. */
  readonly lines = new LogLines()
  readonly plans: readonly ServicePlan[]
  readonly #options: ClusterOptions
  readonly #network: TestNetwork
  readonly #directory: string
  readonly #ports: { readonly grpc: number; readonly http: number }
  readonly #services = new Map<ServiceName, ServiceContainer>()
  #isGone = false

  private constructor(
    options: ClusterOptions,
    network: TestNetwork,
    directory: string,
    ports: { readonly grpc: number; readonly http: number },
  ) {
    this.#options = options
    this.#network = network
    this.#directory = directory
    this.#ports = ports
    this.endpoints = `127.0.0.1:${ports.grpc}`
    this.api = new ClusterApi(`http://127.0.0.1:${ports.http}`, ADMIN_TOKEN)
    const { replication, slaves = 1, relay = false } = options
    this.plans = servicePlans({ replication, slaves, relay })
  }

  /** A network and nothing on it yet. */
  static async create(options: ClusterOptions): Promise<ContainerCluster> {
    const generator = new RandomPortGenerator()
    const [network, directory, grpc, http] = await Promise.all([
      TestNetwork.create(),
      mkdtemp(join(tmpdir(), 'tandemmq-containers-')),
      generator.generatePort(),
      generator.generatePort(),
    ])
    return new ContainerCluster(options, network, directory, { grpc, http })
  }

  /** Starts all services at once; resolves when all are ready. */
  static async start(options: ClusterOptions): Promise<ContainerCluster> {
    const cluster = await ContainerCluster.create(options)
    try {
      await Promise.all(cluster.plans.map(({ name }) => cluster.add(name)))
      await cluster.ready()
      return cluster
    } catch (failure) {
      const said = cluster.lines.all.slice(-60).join('\n')
      await cluster[Symbol.asyncDispose]()
      throw new Error(`the cluster did not come up:\n${said}`, { cause: failure })
    }
  }

  /** The network, as the engine names it. */
  get network(): string {
    return this.#network.name
  }

  get services(): readonly ServiceContainer[] {
    return [...this.#services.values()]
  }

  service(name: ServiceName): ServiceContainer {
    const service = this.#services.get(name)
    if (service === undefined) throw new Error(`no ${name} was started`)
    return service
  }

  /** Starts a service of the plan that has no container yet; resolves when it has said its first line. */
  async add(name: ServiceName, { settings, secret }: Difference = {}): Promise<ServiceContainer> {
    const plan = this.plans.find((it) => it.name === name)
    if (plan === undefined) throw new Error(`the cluster has no ${name}`)
    const memoryBytes = this.#options.smallDisks?.[name]
    const environment = { ...plan.environment, ...this.#options.settings?.[name], ...settings }
    const service = await ServiceContainer.start(
      { ...plan, environment },
      {
        network: this.#network,
        secrets: this.#secretsOf(name, secret),
        data: memoryBytes === undefined ? { volume: await this.#network.volume(name) } : { memoryBytes },
        lines: this.lines,
        ...(name === 'metadata-rpc' && { publish: this.#ports }),
      },
    )
    this.#services.set(name, service)
    return service
  }

  /** Takes a container and its data away for good. */
  async discard(name: ServiceName): Promise<void> {
    await this.service(name).remove()
    this.#services.delete(name)
  }

  /** Resolves when every service that was started says that it is ready. */
  async ready(): Promise<void> {
    await Promise.all(this.services.map((service) => this.serviceReady(service.plan.name)))
  }

  async serviceReady(name: ServiceName): Promise<void> {
    await until(`${name} to be ready`, async () => {
      const { status, body } = await this.service(name).readiness()
      if (status !== 200) throw new Error(`${status} ${body}`)
      return true
    })
  }

  /** Undoes what was done to any service; resolves when all are ready. */
  async heal(): Promise<void> {
    await Promise.all(this.services.map((service) => service.heal()))
    await this.ready()
  }

  /** Resolves when the broker of that identity answers consumers: `broker-a-0` is the master. */
  async servedBy(identity: string): Promise<void> {
    await until(`${identity} to serve`, async () => (await this.api.set()).serving?.identity === identity)
  }

  /** Nobody may be sending. Resolves with the end of the log once all brokers have the same one, and the master serves. */
  async level(): Promise<number> {
    const brokers = this.services.filter(({ plan }) => plan.kind !== 'metadata-rpc').length
    return await until('the brokers to be level', async () => {
      const { members, serving } = await this.api.set()
      const [end = 0] = members.map((member) => member.end)
      const isLevel =
        members.length === brokers &&
        serving?.identity === 'broker-a-0' &&
        members.every((member) => member.alive && member.end === end)
      return isLevel && end
    })
  }

  /** Waits until all are level, and compares their logs up to the end, byte by byte. Nobody may be sending. */
  async logChecksums(): Promise<readonly string[]> {
    const end = await this.level()
    const brokers = this.services.filter(({ plan }) => plan.kind !== 'metadata-rpc')
    return await Promise.all(brokers.map((broker) => logChecksum(broker, end)))
  }

  /** A second call does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return
    this.#isGone = true
    await Promise.all(this.services.map((service) => service.remove()))
    await this.#network[Symbol.asyncDispose]()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** The directory that the service sees as /run/secrets: readable by all, since users differ between here and there. */
  #secretsOf(name: ServiceName, secret = SET_SECRET): string {
    const directory = join(this.#directory, name, randomUUID())
    mkdirSync(directory, { recursive: true, mode: 0o755 })
    const write = (file: string, content: string): void =>
      writeFileSync(join(directory, file), `${content}\n`, { mode: 0o444 })
    write('set-secret', secret)
    write('admin-token', ADMIN_TOKEN)
    return directory
  }
}
