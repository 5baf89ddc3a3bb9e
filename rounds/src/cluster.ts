import { readFileSync, writeFileSync } from 'node:fs'
import type { KeyObject } from 'node:crypto'
import { handleKeyOf } from '@tandemmq/broker'
import { PowerSwitch } from '@tandemmq/crash'
import { ClusterApi, until } from '@tandemmq/interop'
import { NodeRandom, readSecretFile } from '@tandemmq/platform-node'
import {
  adminTokenFile,
  brokerConf,
  GRPC_PORT,
  HTTP_PORT,
  MASTER,
  METADATA,
  metadataConf,
  secretFile,
  SET,
  slaveNames,
  type ClusterMode,
} from './conf.ts'
import { Machine } from './machine.ts'
import { Metrics } from './metrics.ts'
import { Network } from './network.ts'

/** Bounds a wait for a cluster that never becomes whole again. */
const WHOLE_WITHIN_MS = 90_000
const INFORMED_WITHIN_MS = 200
/** A stopped or lost broker answers nothing. */
const HTTP_TIMEOUT_MS = 2_000

/** metadata-rpc, a master and its slaves, each on a machine of its own. */
export class Cluster implements AsyncDisposable {
  readonly mode: ClusterMode
  readonly directory: string
  readonly network: Network
  readonly metadata: Machine
  readonly master: Machine
  readonly slaves: readonly Machine[]
  /** Opens receipt handles of this set. */
  readonly handleKey: KeyObject
  readonly #api: ClusterApi

  private constructor(mode: ClusterMode, directory: string, network: Network) {
    this.mode = mode
    this.directory = directory
    this.network = network
    const random = new NodeRandom()
    for (const file of [secretFile(directory), adminTokenFile(directory)])
      writeFileSync(file, `${random.bytes(32).toString('hex')}\n`, { mode: 0o600 })
    this.handleKey = handleKeyOf(SET, readSecretFile('setSecretFile', secretFile(directory)))
    const power = new PowerSwitch(directory)
    this.metadata = new Machine(METADATA, { network, power, directory, hasDisk: false })
    this.metadata.writeConf(metadataConf(network, directory, this.metadata.store))
    const [master, ...slaves] = [MASTER, ...slaveNames(mode.slaves)].map((name, brokerId) => {
      const machine = new Machine(name, { network, power, directory, hasDisk: true })
      const { store } = machine
      machine.writeConf(brokerConf(name, brokerId, mode, { network, directory, store }))
      return machine
    })
    if (master === undefined) throw new Error('a cluster has a master')
    this.master = master
    this.slaves = slaves
    const token = readFileSync(adminTokenFile(directory), 'utf8').trim()
    this.#api = new ClusterApi(this.httpUrl(METADATA), token)
  }

  /** Resolves when it takes and serves messages. `directory` is empty. */
  static async start(mode: ClusterMode, directory: string): Promise<Cluster> {
    const network = Network.make([METADATA, MASTER, ...slaveNames(mode.slaves)])
    try {
      const cluster = new Cluster(mode, directory, network)
      for (const machine of cluster.machines) machine.start()
      await cluster.whole()
      return cluster
    } catch (failure) {
      network[Symbol.dispose]()
      throw failure
    }
  }

  get brokers(): readonly Machine[] {
    return [this.master, ...this.slaves]
  }

  get machines(): readonly Machine[] {
    return [this.metadata, ...this.brokers]
  }

  /** The address for clients. */
  get endpoints(): string {
    return `${this.network.address(METADATA)}:${GRPC_PORT}`
  }

  httpUrl(name: string): string {
    return `http://${this.network.address(name)}:${HTTP_PORT}`
  }

  async createTopic(name: string, queues: number): Promise<void> {
    await this.#api.createTopic({ name, type: 'FIFO', queues })
  }

  async createGroup(name: string, orderly: boolean): Promise<void> {
    const answer = await this.#api.fetch('/api/v1/groups', { name, orderly })
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  }

  /** Whatever was done to it is undone: ways, stopped processes, dead ones. */
  mend(): void {
    this.network.heal()
    for (const machine of this.machines) {
      machine.goOn()
      machine.start()
    }
  }

  /** Resolves when all take part again: everybody ready, the master writing and serving, every slave in sync. Rejects if that does not come. */
  async whole(): Promise<void> {
    await until('the cluster to be whole', () => this.#isWhole(), WHOLE_WITHIN_MS)
  }

  /** Resolves with the common end of all logs, once nothing is on the way any more. */
  level(): Promise<number> {
    return until('all logs to be level', () => this.#commonEnd(), WHOLE_WITHIN_MS)
  }

  /**
   * Resolves when every slave has just heard of changes of its master's progress, which come all the time under load: it knows what is older. Links that were cut a
   * moment ago may still be waiting to repeat what was lost.
   */
  async informed(): Promise<void> {
    await until('the slaves to know of all progress', () => this.#areInformed(), WHOLE_WITHIN_MS)
  }

  /** Throws if it does not answer. */
  async metricsOf(name: string): Promise<Metrics> {
    return new Metrics(await (await this.#httpGet(name, '/metrics')).text())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Slaves first: a master without slaves would wait for them to come back.
    for (const machine of [...this.slaves, this.master, this.metadata]) await machine.kill()
    this.network[Symbol.dispose]()
  }

  async #isWhole(): Promise<boolean> {
    const { members, serving, writable } = await this.#set()
    const [master, ...slaves] = this.brokers.map((_, id) =>
      members.find(({ identity }) => identity === `${SET}-${id}`),
    )
    return (
      serving?.identity === `${SET}-0` &&
      writable === `${SET}-0` &&
      master?.alive === true &&
      master.replicas?.length === slaves.length &&
      master.replicas.every(({ state }) => state === 'in sync') &&
      slaves.every(
        (slave) =>
          slave?.alive === true &&
          slave.masterConnected === true &&
          Object.values(slave.metadataSync?.results ?? { none: 'yet' }).every((result) => result === 'ok'),
      ) &&
      (await this.#areReady())
    )
  }

  async #areInformed(): Promise<boolean> {
    const all = await Promise.all(this.slaves.map(({ name }) => this.metricsOf(name)))
    return all.every(
      (metrics) => (metrics.value('rocketmq_ha_metadata_age_ms') ?? Infinity) <= INFORMED_WITHIN_MS,
    )
  }

  async #areReady(): Promise<boolean> {
    const answers = await Promise.all(this.machines.map(({ name }) => this.#httpGet(name, '/readyz')))
    return answers.every((answer) => answer.ok)
  }

  /** Of all logs, as the brokers themselves say, the master last; `undefined` while they differ. */
  async #commonEnd(): Promise<number | undefined> {
    const ends: (number | undefined)[] = []
    for (const { name } of [...this.slaves, this.master]) {
      const metrics = await this.metricsOf(name)
      ends.push(metrics.value('rocketmq_ha_log_position_bytes', 'position="written"'))
      if (name === MASTER) ends.push(metrics.value('rocketmq_ha_replicated_position_bytes'))
    }
    return ends.every((end) => end === ends[0]) ? ends[0] : undefined
  }

  /** Throws if nobody answers. */
  #httpGet(name: string, path: string): Promise<Response> {
    return fetch(`${this.httpUrl(name)}${path}`, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) })
  }

  #set(): ReturnType<ClusterApi['set']> {
    return this.#api.set(SET)
  }
}
