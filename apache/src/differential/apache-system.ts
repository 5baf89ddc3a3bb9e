import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { ApacheBroker } from '../apache-broker.ts'
import type { ApacheClient, SeenMessage } from '../apache-client.ts'
import { copied } from './copied.ts'
import type { Stage } from './stage.ts'
import type { Broker, Message, Pair, Served, SlaveOptions, StartOptions, System } from './system.ts'

/** All of a topic's messages go there. */
const QUEUE = 0

export interface ApacheSurroundings {
  readonly client: ApacheClient
  /** `host:port` of Apache's name server, from which its slaves learn where their master is. */
  readonly nameServer: string
}

/** Genuine Apache RocketMQ. */
export class ApacheSystem implements System {
  readonly #stage: Stage
  readonly #brokerName: string
  readonly #surroundings: ApacheSurroundings

  /** `brokerName`: of its own, since all scenarios share a name server. */
  constructor(stage: Stage, brokerName: string, surroundings: ApacheSurroundings) {
    this.#stage = stage
    this.#brokerName = brokerName
    this.#surroundings = surroundings
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

  async startMaster(options: StartOptions = {}): Promise<RunningApache> {
    return this.#start('master', this.masterStore, options, {})
  }

  /** A slave's own `haMasterAddress` has no effect in 5.5.0: the name server is told instead. */
  async startSlave(
    master: RunningApache,
    { masterAt = master.haAddress, ...options }: SlaveOptions = {},
  ): Promise<RunningApache> {
    const { client, nameServer } = this.#surroundings
    await client.register(nameServer, master.address, masterAt, this.#brokerName)
    const keys = { brokerRole: 'SLAVE', brokerId: 1, namesrvAddr: nameServer, slaveReadEnable: true }
    return this.#start('slave', this.slaveStore, options, keys)
  }

  /** The slave begins with the master's `config/`, as one that has copied metadata before. */
  async startPair(topic: string, group: string): Promise<Pair> {
    const master = await this.startMaster()
    await master.send(topic, { body: 'first' })
    await master.next(group, topic)
    cpSync(join(this.masterStore, 'config'), join(this.slaveStore, 'config'), { recursive: true })
    const slave = await this.startSlave(master)
    await copied(this)
    return new ApachePair(master, slave)
  }

  async #start(
    role: string,
    store: string,
    { keys, environment }: StartOptions,
    roleKeys: StartOptions['keys'],
  ): Promise<RunningApache> {
    const home = this.#stage.home(role)
    const broker = await this.#stage.start(() =>
      ApacheBroker.start({
        store,
        home,
        keys: { brokerName: this.#brokerName, ...roleKeys, ...keys },
        ...(environment === undefined ? {} : { environment }),
      }),
    )
    return new RunningApache(broker, this.#surroundings.client)
  }
}

class RunningApache implements Broker {
  readonly #broker: ApacheBroker
  readonly #client: ApacheClient

  constructor(broker: ApacheBroker, client: ApacheClient) {
    this.#broker = broker
    this.#client = client
  }

  /** `host:port` of its remoting port. */
  get address(): string {
    return this.#broker.address
  }

  get haAddress(): string {
    return this.#broker.haAddress
  }

  get exit(): Promise<unknown> {
    return this.#broker.exit
  }

  async send(topic: string, { body, properties = {} }: Message): Promise<void> {
    const { status } = await this.#client.send(this.address, topic, { body: Buffer.from(body), properties })
    if (status !== 'SEND_OK') throw new Error(status)
  }

  async read(topic: string): Promise<readonly Message[]> {
    const { messages } = await this.#client.queue(this.address, topic, QUEUE)
    return messages.map((message) => ({ body: bodyOf(message), properties: message.properties }))
  }

  async consume(group: string, topic: string, count: number): Promise<readonly string[]> {
    const from = await this.#progress(group, topic)
    const bodies = (await this.#from(from, group, topic)).slice(0, count)
    await this.#client.commit(this.address, group, topic, QUEUE, from + bodies.length)
    return bodies
  }

  async next(group: string, topic: string): Promise<readonly string[]> {
    return this.#from(await this.#progress(group, topic), group, topic)
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

  /** A group that a broker knows nothing of begins at the beginning. */
  async #progress(group: string, topic: string): Promise<number> {
    return (await this.#client.committed(this.address, group, topic, QUEUE)) ?? 0
  }

  async #from(offset: number, group: string, topic: string): Promise<readonly string[]> {
    const { messages } = await this.#client.queue(this.address, topic, QUEUE, group)
    return messages.filter(({ queueOffset }) => queueOffset >= offset).map(bodyOf)
  }
}

/** Apache's clients ask the master while it is there, then the slave. */
class ApachePair implements Pair {
  readonly #master: RunningApache
  readonly #slave: RunningApache
  #asked: Served

  constructor(master: RunningApache, slave: RunningApache) {
    this.#master = master
    this.#slave = slave
    this.#asked = master
  }

  send(topic: string, message: Message): Promise<void> {
    return this.#asked.send(topic, message)
  }

  read(topic: string): Promise<readonly Message[]> {
    return this.#asked.read(topic)
  }

  consume(group: string, topic: string, count: number): Promise<readonly string[]> {
    return this.#asked.consume(group, topic, count)
  }

  next(group: string, topic: string): Promise<readonly string[]> {
    return this.#asked.next(group, topic)
  }

  async killMaster(): Promise<void> {
    await this.#master.kill()
    this.#asked = this.#slave
  }
}

function bodyOf({ body }: SeenMessage): string {
  return Buffer.from(body, 'base64').toString()
}
