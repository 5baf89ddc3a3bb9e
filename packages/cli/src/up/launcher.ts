import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '@tandemmq/base'
import {
  DirectoryLock,
  NodeClock,
  NodeNet,
  NodeRandom,
  parseProperties,
  PinoLogger,
  renderProperties,
} from '@tandemmq/platform-node'
import { LogFile } from './log-file.ts'
import type { UpOptions } from './options.ts'
import { portHolder } from './port-holder.ts'
import { PortPicker } from './port-picker.ts'
import { readyReport, readySentences, type ReadyService } from './ready-report.ts'
import { Screen } from './screen.ts'
import { ensureSecretFile } from './secret-file.ts'
import {
  adminTokenFile,
  confFile,
  confOf,
  planServices,
  setSecretFile,
  type ServicePlan,
  type ServicePorts,
} from './service-plan.ts'
import { inWords, ServiceProcess } from './service-process.ts'
import { serviceScript } from './service-script.ts'
import { StopRequest } from './stop-request.ts'

const READY_WITHIN_MS = 60_000

/** The whole cluster on this machine, from start to stop. */
export class Launcher {
  readonly #options: UpOptions
  readonly #plans: readonly ServicePlan[]
  readonly #screen: Screen
  readonly #clock = new NodeClock()
  readonly #random = new NodeRandom()
  readonly #stop = new StopRequest()

  constructor(options: UpOptions) {
    this.#options = options
    this.#plans = planServices(options)
    const stream = options.json ? process.stderr : process.stdout
    this.#screen = new Screen(
      stream,
      this.#plans.map(({ name }) => name),
    )
  }

  /** Starts everything, waits for Ctrl-C or SIGTERM, stops everything. Returns the exit code. */
  async run(): Promise<number> {
    try {
      using lock = this.#lockData()
      return await this.#runOn(lock.directory)
    } finally {
      this.#stop.request()
    }
  }

  async #runOn(data: string): Promise<number> {
    mkdirSync(join(data, 'conf'), { recursive: true })
    const ports = await this.#pickPorts()
    this.#writeFiles(ports)
    const isNew = !readdirSync(data).some((name) => name.startsWith('broker-'))
    const services = this.#plans.map((plan) => this.#start(plan, isNew))
    const failure = await Promise.race([this.#untilReady(services, ports), this.#stop.requested])
    if (failure === undefined) {
      for (const service of services) void this.#watch(service)
      await this.#stop.requested
    } else if (failure instanceof Error) {
      this.#screen.say(failure.message)
    }
    await this.#stopAll(services)
    return failure instanceof Error ? 1 : 0
  }

  #lockData(): DirectoryLock {
    const { data } = this.#options
    const logger = new PinoLogger({
      service: 'tandemmq',
      to: (line) => this.#screen.log('tandemmq', line.trimEnd()),
    })
    try {
      return DirectoryLock.acquire(data, { logger })
    } catch (cause) {
      if (!(cause instanceof BrokerError && cause.code === 'STORE_LOCKED')) throw cause
      const hint = 'stop it, or give this one a directory of its own with --data'
      throw new BrokerError('STORE_LOCKED', `another launcher is running on ${data}: ${hint}`, { cause })
    }
  }

  /** Brokers get the ports of the last start again where they are free, so that whoever noted them still finds them. */
  async #pickPorts(): Promise<ReadonlyMap<string, ServicePorts>> {
    const picker = new PortPicker({
      net: new NodeNet(),
      random: this.#random,
      holder: portHolder,
      say: (sentence) => this.#screen.say(sentence),
    })
    const ports = new Map<string, ServicePorts>()
    for (const { name, kind } of this.#plans) {
      const isFront = kind === 'metadata-rpc'
      const before = this.#portsBefore(name)
      const pick = (want: number, last: number | undefined, purpose: string): Promise<number> =>
        want === 0 ? picker.any(last, purpose) : picker.wanted(want, purpose)
      const grpc = await pick(isFront ? this.#options.grpcPort : 0, before.get('grpcPort'), `gRPC of ${name}`)
      const http = await pick(isFront ? this.#options.httpPort : 0, before.get('httpPort'), `HTTP of ${name}`)
      const ha = isFront ? 0 : await pick(0, before.get('haListenPort'), `HA of ${name}`)
      ports.set(name, { grpc, http, ha })
    }
    return ports
  }

  #portsBefore(service: string): ReadonlyMap<string, number> {
    const path = confFile(this.#options.data, service)
    if (!existsSync(path)) return new Map()
    try {
      const properties = parseProperties(readFileSync(path, 'utf8'), path)
      return new Map(
        properties
          .filter(({ value }) => /^[1-9]\d{0,4}$/.test(value))
          .map(({ name, value }) => [name, Number(value)]),
      )
    } catch (failure) {
      if (failure instanceof BrokerError) return new Map()
      throw failure
    }
  }

  #writeFiles(ports: ReadonlyMap<string, ServicePorts>): void {
    const { data } = this.#options
    ensureSecretFile(setSecretFile(data), this.#random)
    ensureSecretFile(adminTokenFile(data), this.#random)
    const portsOf = (name: string): ServicePorts => {
      const known = ports.get(name)
      if (known === undefined) throw new BrokerError('ILLEGAL_ARGUMENT', `${name} has no ports`)
      return known
    }
    for (const plan of this.#plans) {
      const values = confOf(plan, portsOf, this.#plans, this.#options)
      const comment = [
        `${plan.name}, written by \`tandemmq up\` at every start. To start this service alone:`,
      ]
      const path = confFile(data, plan.name)
      writeFileSync(path, renderProperties([...comment, this.#aloneCommand(plan.kind, path)], values))
    }
  }

  #aloneCommand(kind: string, config: string): string {
    return `npm run service -- ${kind} -c ${config}`
  }

  /** @param isNew no broker has a store here yet: there is no log that a master could forget by beginning one (rule 1.6) */
  #start({ name, kind }: ServicePlan, isNew: boolean): ServiceProcess {
    const { data, servicesFrom } = this.#options
    const file = new LogFile(join(data, 'logs', `${name}.log`))
    const script = serviceScript(kind, servicesFrom)
    const settings = isNew && kind === 'broker-master' ? ['createLog=true'] : []
    return new ServiceProcess({ name, script, config: confFile(data, name), settings }, (line) => {
      file.append(line)
      this.#screen.log(name, line)
    })
  }

  /** Resolves with nothing once everything is ready and has been reported, or with what went wrong. */
  async #untilReady(
    services: readonly ServiceProcess[],
    ports: ReadonlyMap<string, ServicePorts>,
  ): Promise<Error | undefined> {
    const late = Promise.withResolvers<never>()
    const timer = this.#clock.after(READY_WITHIN_MS, () => {
      late.reject(
        new BrokerError('UNAVAILABLE', `not everything was ready within ${READY_WITHIN_MS / 1_000} s`),
      )
    })
    try {
      const ready = Promise.all(
        services.map(async ({ name, pid, config, ready: facts }): Promise<ReadyService> => {
          return { name, pid, config, facts: await facts }
        }),
      )
      this.#report(await Promise.race([ready, late.promise]), ports)
      return undefined
    } catch (failure) {
      if (failure instanceof BrokerError) return failure
      throw failure
    } finally {
      timer.cancel()
    }
  }

  #report(services: readonly ReadyService[], ports: ReadonlyMap<string, ServicePorts>): void {
    const { grpc = 0, http = 0 } = ports.get('metadata-rpc') ?? {}
    const report = readyReport(services, { grpc, http }, performance.now())
    for (const sentence of readySentences(report, this.#options.data)) this.#screen.say(sentence)
    if (this.#options.json) process.stdout.write(`${JSON.stringify(report)}\n`)
  }

  /** A service that dies stays down, so that a failover can be watched. */
  async #watch(service: ServiceProcess): Promise<void> {
    const ending = await service.ended
    if (this.#stop.isRequested) return
    const kind = this.#plans.find(({ name }) => name === service.name)?.kind ?? ''
    this.#screen.say(`${service.name} ${inWords(ending)} and stays down; to bring it back:`)
    this.#screen.say(`  ${this.#aloneCommand(kind, service.config)}`)
  }

  /** Slaves first, so that no slave takes over while its master stops; the front door last, so that all can say goodbye to it. */
  async #stopAll(services: readonly ServiceProcess[]): Promise<void> {
    this.#stop.request()
    this.#screen.say('stopping')
    for (const kind of ['broker-slave', 'broker-master', 'metadata-rpc']) {
      const names = this.#plans.filter((plan) => plan.kind === kind).map(({ name }) => name)
      const wave = services.filter(({ name }) => names.includes(name))
      await Promise.all(wave.map((service) => this.#stopOne(service)))
    }
    this.#screen.say('stopped')
  }

  async #stopOne(service: ServiceProcess): Promise<void> {
    const { stopWithinMs } = this.#options
    const timer = this.#clock.after(stopWithinMs, () => {
      this.#screen.say(`${service.name} did not stop within ${stopWithinMs / 1_000} s and is killed`)
      service.kill()
    })
    service.terminate()
    await service.ended
    timer.cancel()
  }
}
