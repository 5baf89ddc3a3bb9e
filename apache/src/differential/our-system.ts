import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Clients, LocalCluster } from '@tandemmq/interop'
import { OurBroker } from '../our-broker.ts'
import { OurClients } from './our-clients.ts'
import type { Stage } from './stage.ts'
import type { Broker, Pair, SlaveOptions, StartOptions, System } from './system.ts'

/** TandemMQ. */
export class OurSystem implements System {
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  get directory(): string {
    return this.#stage.directory
  }

  get masterStore(): string {
    return this.#stage.masterStore
  }

  get slaveStore(): string {
    return this.#stage.slaveStore
  }

  async startMaster(options: StartOptions = {}): Promise<RunningBroker> {
    const createLog = !existsSync(this.masterStore)
    return this.#start('master', this.masterStore, options, { createLog })
  }

  async startSlave(
    master: RunningBroker,
    { masterAt = master.haAddress, ...options }: SlaveOptions = {},
  ): Promise<RunningBroker> {
    const keys = { haMasterAddress: masterAt, masterGrpcAddress: master.endpoints }
    return this.#start('slave', this.slaveStore, options, keys)
  }

  async startPair(topic: string): Promise<Pair> {
    const data = join(this.directory, 'cluster')
    const cluster = await this.#stage.start(() => LocalCluster.start(['--replication', 'sync'], data))
    const pair = new OurPair(cluster, await this.#stage.start(() => new Clients(cluster)))
    await pair.send(topic, { body: 'first' })
    return pair
  }

  async #start(
    role: 'master' | 'slave',
    store: string,
    { keys, environment }: StartOptions,
    roleKeys: StartOptions['keys'],
  ): Promise<RunningBroker> {
    const home = this.#stage.home(role)
    const broker = await this.#stage.start(() =>
      OurBroker.start({
        role,
        store,
        home,
        keys: { defaultTopicQueueNums: 1, ...roleKeys, ...keys },
        ...(environment === undefined ? {} : { environment }),
      }),
    )
    return new RunningBroker(broker, await this.#stage.start(() => new Clients(broker)))
  }
}

class RunningBroker extends OurClients implements Broker {
  readonly #broker: OurBroker

  constructor(broker: OurBroker, clients: Clients) {
    super(clients)
    this.#broker = broker
  }

  /** For clients. */
  get endpoints(): string {
    return this.#broker.endpoints
  }

  get haAddress(): string {
    return this.#broker.haAddress
  }

  get exit(): Promise<unknown> {
    return this.#broker.service.exit
  }

  stop(): Promise<void> {
    return this.#broker.stop()
  }

  kill(): Promise<void> {
    return this.#broker.kill()
  }

  complaints(): readonly string[] {
    return this.#broker.complaints()
  }
}

/** Clients know one address, before and after. */
class OurPair extends OurClients implements Pair {
  readonly #cluster: LocalCluster

  constructor(cluster: LocalCluster, clients: Clients) {
    super(clients)
    this.#cluster = cluster
  }

  async killMaster(): Promise<void> {
    await this.#cluster.end('broker-master')
  }
}
