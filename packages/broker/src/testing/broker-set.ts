import { invariant, silentMeter } from '@tandemmq/base'
import { handBackTarget, Registry, type Appointment } from '@tandemmq/registry'
import {
  logBytes,
  RecordingLogger,
  SeededRandom,
  SimulatedClock,
  SimulatedMachine,
  SimulatedNet,
} from '@tandemmq/testkit'
import { appointedOptions } from '../appointed-options.ts'
import { readAppointment, writeAppointment } from '../appointment-file.ts'
import { Broker } from '../broker.ts'
import type { BrokerOptions, MasterOptions } from '../broker-options.ts'
import type { DurabilityMode } from '../durability-mode.ts'
import { handBackOver, metadataOver } from './metadata-wire.ts'
import { RegistryWire } from './registry-wire.ts'

export const ASYNC: DurabilityMode = { replication: 'async', flush: 'async', inSyncReplicas: 1 }
export const ASYNC_FLUSHED: DurabilityMode = { replication: 'async', flush: 'sync', inSyncReplicas: 1 }
export const SYNC: DurabilityMode = { replication: 'sync', flush: 'async', inSyncReplicas: 2 }
export const SYNC_FLUSHED: DurabilityMode = { replication: 'sync', flush: 'sync', inSyncReplicas: 2 }

/** One machine of the set, and the process that runs on it. */
interface Member {
  machine: SimulatedMachine
  readonly logger: RecordingLogger
  /** Counts the boots of the machine. */
  boots: number
  broker: Broker | undefined
  wire: RegistryWire | undefined
}

const SET = 'broker-a'

type Machine = ReturnType<SimulatedMachine['boot']>

const SLAVE = { pullIntervalMs: 10_000, watch: true }

function masterOptions(name: string): MasterOptions {
  return {
    haListen: { host: name, port: 10912 },
    haAdvertisedHost: name,
    createLog: false,
    acceptLoss: false,
  }
}

/** A broker set on fakes: `master` and slaves by name, one registry, all in one process and on simulated time. */
export class BrokerSet {
  readonly time = new SimulatedClock()
  readonly random: SeededRandom
  readonly net: SimulatedNet
  readonly registry: Registry
  readonly mode: DurabilityMode
  readonly #replicas: number
  #isMetadataBlocked = false
  readonly #members = new Map<string, Member>()

  constructor(mode: DurabilityMode, { slaves = 1, seed = 1 } = {}) {
    this.mode = mode
    this.#replicas = slaves + 1
    this.random = new SeededRandom(seed)
    this.net = new SimulatedNet({ clock: this.time, random: this.random.fork() })
    this.registry = new Registry({}, { clock: this.time, logger: new RecordingLogger() })
  }

  /** Starts a broker process on the machine of that name: `master`, or else a slave. */
  async start(name: string, change: Partial<BrokerOptions> = {}): Promise<Broker> {
    const member = this.#member(name)
    return this.time.outcome(this.#open(name, member.machine.boot(), change))
  }

  /** In the role that its disk says; begins again in another one when it is told to. */
  async #open(name: string, ports: Machine, change: Partial<BrokerOptions>): Promise<Broker> {
    const member = this.#member(name)
    const wire = new RegistryWire(this.registry, ports.clock)
    member.wire = wire
    const configured = { ...this.#options(name), ...change }
    const roles = { master: configured.master ?? masterOptions(name), slave: SLAVE }
    const broker = await Broker.open(
      appointedOptions(configured, roles, readAppointment(ports.files, '/store')),
      {
        ...ports,
        logger: member.logger,
        meter: silentMeter,
        registry: wire,
        metadataSource: (address) =>
          metadataOver({ identity: name, clock: ports.clock, broker: () => this.#reach(name, address) }),
        handBackAround: (to) =>
          handBackOver({ clock: ports.clock, broker: () => this.#reachAround(name, to) }),
      },
    )
    member.broker = broker
    broker.onAppointed((appointment) => void this.#begin(name, broker, ports, appointment, change))
    return broker
  }

  async #begin(
    name: string,
    broker: Broker,
    ports: Machine,
    appointment: Appointment,
    change: Partial<BrokerOptions>,
  ): Promise<void> {
    await broker.close()
    await writeAppointment(ports.files, '/store', appointment)
    await this.#open(name, ports, change)
  }

  /** From now on nobody reaches another's metadata over a connection of their own, or does again. */
  blockMetadata(isBlocked: boolean): void {
    this.#isMetadataBlocked = isBlocked
  }

  isUp(name: string): boolean {
    return this.#member(name).broker !== undefined
  }

  broker(name: string): Broker {
    const broker = this.#member(name).broker
    invariant(broker !== undefined, `${name} is up`)
    return broker
  }

  machine(name: string): SimulatedMachine {
    return this.#member(name).machine
  }

  wire(name: string): RegistryWire {
    const { wire } = this.#member(name)
    invariant(wire !== undefined, `${name} was started`)
    return wire
  }

  log(name: string): RecordingLogger {
    return this.#member(name).logger
  }

  /** SIGKILL. */
  kill(name: string): void {
    this.#gone(name, (machine) => machine.kill())
    this.wire(name).cut()
  }

  cutPower(name: string): void {
    this.wire(name).silence()
    this.#gone(name, (machine) => machine.cutPower())
    this.#member(name).boots += 1
  }

  /** The machine is lost and comes back with an empty disk. */
  replaceDisk(name: string): void {
    this.cutPower(name)
    this.#member(name).machine = this.#newMachine(name)
  }

  async stop(name: string): Promise<void> {
    await this.time.outcome(this.broker(name).close())
    this.#gone(name, (machine) => machine.kill())
  }

  /** Starts `master` and `slave`; resolves when the one serves and counts on the other. */
  async startPair(): Promise<void> {
    await this.start('master')
    await this.start('slave')
    await this.untilServing('master')
    const { role } = this.broker('master')
    await this.time.runUntil(() => role.kind === 'master' && role.replicas().some(({ known }) => known))
  }

  /** Waits until the broker of that name answers consumers; returns how long it took, ms. */
  async untilServing(name: string, limitMs = 10_000): Promise<number> {
    const began = this.time.monotonic()
    await this.time.runUntil(() => this.broker(name).servingEpoch !== undefined, limitMs)
    return this.time.monotonic() - began
  }

  /** Waits until the slave of that name follows `master` and has all of its log. */
  async untilCopied(name: string, master = 'master'): Promise<void> {
    const { store } = this.broker(name)
    await this.time.runUntil(() => store.end === this.broker(master).store.end && store.end > 0)
  }

  /** All bytes of a broker's log. */
  logOf(name: string): Buffer {
    return logBytes(this.broker(name).store)
  }

  #gone(name: string, how: (machine: SimulatedMachine) => void): void {
    const member = this.#member(name)
    how(member.machine)
    member.broker = undefined
  }

  #reach(from: string, address: string): Broker | undefined {
    const [to = ''] = address.split(':')
    const isCut = this.net.link(from, to).isCut || this.net.link(to, from).isCut
    return isCut || this.#isMetadataBlocked ? undefined : this.#member(to).broker
  }

  /** Through the machine of the registry. */
  #reachAround(from: string, to: string): Broker | undefined {
    if (!this.wire(from).isOpen || !this.wire(to).isOpen) return undefined
    const { identity } = handBackTarget(this.registry.view, { set: SET, from, to })
    return this.#member(identity).broker
  }

  #member(name: string): Member {
    const known = this.#members.get(name)
    if (known !== undefined) return known
    const member: Member = {
      machine: this.#newMachine(name),
      logger: new RecordingLogger(),
      boots: 1,
      broker: undefined,
      wire: undefined,
    }
    this.#members.set(name, member)
    return member
  }

  #newMachine(name: string): SimulatedMachine {
    return new SimulatedMachine({ name, time: this.time, net: this.net, random: this.random.fork() })
  }

  #options(name: string): BrokerOptions {
    const isMaster = name === 'master'
    return {
      cluster: 'DefaultCluster',
      set: SET,
      identity: name,
      totalReplicas: this.#replicas,
      root: '/store',
      bootId: `${name}, boot ${this.#member(name).boots}`,
      segmentBytes: 256 * 1024,
      index: { slots: 50, entries: 200 },
      maxMessageBytes: 64 * 1024,
      storeHost: { ip: '10.0.0.1', port: 10911 },
      mode: this.mode,
      create: { topics: true, groups: true, queues: 4 },
      secret: Buffer.from('the secret of the set'),
      grpcAddress: `${name}:8081`,
      haIfMaster: `${name}:10912`,
      flushTimeoutMs: 5_000,
      slaveTimeoutMs: 3_000,
      ...(isMaster
        ? {
            master: { ...masterOptions(name), createLog: true },
          }
        : {
            slave: {
              masterHa: { host: 'master', port: 10912 },
              masterGrpc: 'master:8081',
              ...SLAVE,
            },
          }),
    }
  }
}
