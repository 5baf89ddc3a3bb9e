import { BrokerError, messageOf, silentMeter } from '@tandemmq/base'
import {
  appointedOptions,
  Broker,
  readAppointment,
  writeAppointment,
  type Appointment,
  type BrokerOptions,
  type RetentionRules,
  type RoleOptions,
} from '@tandemmq/broker'
import type { HandBackWay } from '@tandemmq/metadata'
import type { ProcessPorts, SimulatedMachine } from '@tandemmq/testkit'
import type { Witness } from './client-calls.ts'
import type { ClientService } from './client-service.ts'
import type { HandBackService } from './hand-back-service.ts'
import { MachineProcess } from './machine-process.ts'
import { HAND_BACK_PORT, hostOf, REGISTRY_PORT } from './metadata-node.ts'
import { METADATA_PORT, type MetadataService } from './metadata-service.ts'
import { MASTER, METADATA, type Plan } from './plan.ts'
import type { RegistryService } from './registry-service.ts'
import type { Story } from './story.ts'

export const SET = 'broker-a'
const ROOT = '/store'
const HA_PORT = 10912
const CLIENT_PORT = 8083

/** Old files go at any hour, and soon. */
const HASTY: Omit<RetentionRules, 'reservedMs'> = {
  hours: Array.from({ length: 24 }, (_, hour) => hour),
  usedMax: 0.75,
  usedForcing: 0.85,
  usedWarning: 0.9,
  cleansForcibly: true,
  batchMax: 10,
  pauseMs: 10,
  intervalMs: 500,
}

export interface Services {
  readonly registry: RegistryService
  readonly metadata: MetadataService
  readonly clients: ClientService
  readonly handBacks: HandBackService
}

export interface BrokerWatch {
  readonly opened: (name: string, broker: Broker) => void
  /** An answer to a consumer is being written. */
  readonly answered: (witness: Witness) => void
  /** It did not open, or its code failed. */
  readonly failed: (words: string) => void
  /**
   * One begins to hand what it knows to another; what is returned is called once that has it on disk. While it serves it takes more meanwhile, of which the
   * other hears nothing.
   */
  readonly handsOver: (from: string, to: string, isServing: boolean) => () => void
  /** Its process has ended by itself: the disk has no room. */
  readonly ended: (node: BrokerNode) => void
  /** Another role follows; nothing is written to its log any more. */
  readonly rolesChange: (node: BrokerNode, broker: Broker) => void
}

/** One machine of the set, and the broker process that runs on it. */
export class BrokerNode extends MachineProcess {
  readonly #plan: Plan
  readonly #services: Services
  readonly #story: Story
  readonly #watch: BrokerWatch
  #broker: Broker | undefined
  /** Another object for each process. */
  #process: object | undefined
  #boots = 1
  #appointment: Appointment | undefined
  #isLost = false

  constructor(machine: SimulatedMachine, plan: Plan, services: Services, story: Story, watch: BrokerWatch) {
    super(machine)
    this.#plan = plan
    this.#services = services
    this.#story = story
    this.#watch = watch
  }

  /** The broker, once it has opened, while its process lives. */
  get broker(): Broker | undefined {
    return this.#broker
  }

  /** Another object for each process; undefined while there is none. */
  get process(): object | undefined {
    return this.#process
  }

  /** The newest on its disk. */
  get appointment(): Appointment | undefined {
    return this.#appointment
  }

  /** Whether this broker's process watches the metadata of that broker's, over a connection that is open on both ends. */
  isWatching(other: BrokerNode): boolean {
    const { broker } = other
    if (this.#process === undefined || broker === undefined) return false
    return this.#services.metadata.isWatching(this.#process, broker)
  }

  override start(): void {
    if (!this.#isLost) super.start()
  }

  override cutPower(): void {
    this.#boots += 1
    super.cutPower()
  }

  /** Its machine does not come back. */
  lose(): void {
    this.#isLost = true
    this.cutPower()
  }

  get isLost(): boolean {
    return this.#isLost
  }

  protected override begun(ports: ProcessPorts): void {
    this.#process = ports
    this.#orFail('did not open', this.#open(ports))
  }

  protected override ended(): void {
    this.#process = undefined
    this.#broker = undefined
  }

  /** In the role that its disk says. */
  async #open(ports: ProcessPorts): Promise<void> {
    const { clock } = ports
    const { registry, metadata, clients, handBacks } = this.#services
    this.#appointment = readAppointment(ports.files, ROOT)
    const options = appointedOptions(this.#options(), this.#roles(), this.#appointment)
    const broker = await Broker.open(options, {
      ...ports,
      logger: this.#story.logger(this.name),
      meter: silentMeter,
      registry: registry.link(ports, { host: METADATA, port: REGISTRY_PORT }),
      metadataSource: (address) => {
        const source = metadata.source(ports, this.name, { host: hostOf(address), port: METADATA_PORT })
        return { ...source, ...this.#watched(source, hostOf(address)) }
      },
      handBackAround: (to) => {
        const address = { set: SET, from: this.name, to }
        return this.#watched(handBacks.way(ports, { host: METADATA, port: HAND_BACK_PORT }, address), to)
      },
    })
    const endMetadata = await metadata.serve(ports, { host: this.name, port: METADATA_PORT }, broker)
    const { answered } = this.#watch
    const served = { broker, identity: this.name, clock, answered }
    const endClients = await clients.serve(ports, { host: this.name, port: CLIENT_PORT }, served)
    if (this.#process === ports) this.#broker = broker
    this.#watch.opened(this.name, broker)
    const end = (): void => {
      endMetadata()
      endClients()
    }
    broker.onAppointed((appointment) => {
      this.#orFail('did not begin again', this.#beginAgain(ports, broker, appointment, end))
    })
  }

  #watched(way: HandBackWay, to: string): HandBackWay {
    return {
      handBack: async (snapshot, signal, claim) => {
        const isServing = this.#broker === undefined || this.#broker.servingEpoch !== undefined
        const arrived = this.#watch.handsOver(this.name, to, isServing)
        await way.handBack(snapshot, signal, claim)
        arrived()
      },
    }
  }

  /** In the same process, with nothing left of the former role (rule 3.5). */
  async #beginAgain(
    ports: ProcessPorts,
    broker: Broker,
    appointment: Appointment,
    end: () => void,
  ): Promise<void> {
    this.#story.say(
      this.name,
      `begins again: ${appointment.identity} is the master, from epoch ${appointment.epoch} on`,
    )
    this.#watch.rolesChange(this, broker)
    await broker.close()
    end()
    if (this.#process !== ports) return
    this.#broker = undefined
    await writeAppointment(ports.files, ROOT, appointment)
    if (this.#process === ports) await this.#open(ports)
  }

  #orFail(what: string, work: Promise<void>): void {
    const ports = this.#process
    work.catch((cause: unknown) => {
      if (this.#process !== ports) return
      this.#story.say(this.name, `!! ${what}: ${messageOf(cause)}`)
      if (lacksRoom(cause)) {
        this.kill()
        return this.#watch.ended(this)
      }
      this.#watch.failed(`${this.name} ${what}: ${messageOf(cause)}`)
    })
  }

  #roles(): RoleOptions {
    return {
      master: {
        haListen: { host: this.name, port: HA_PORT },
        haAdvertisedHost: this.name,
        createLog: this.name === MASTER,
        acceptLoss: false,
        hold: { bytesMax: 1024 * 1024, timeMaxMs: 20_000 },
      },
      slave: { pullIntervalMs: 10_000, watch: true },
    }
  }

  #options(): BrokerOptions {
    const { mode, slaves, reservedMs } = this.#plan
    const { name } = this
    const { master, slave } = this.#roles()
    return {
      cluster: 'DefaultCluster',
      set: SET,
      identity: name,
      totalReplicas: slaves.length + 1,
      root: ROOT,
      bootId: `${name}, boot ${this.#boots}`,
      segmentBytes: 32 * 1024,
      index: { slots: 50, entries: 200 },
      maxMessageBytes: 8 * 1024,
      storeHost: { ip: '10.0.0.1', port: 10911 },
      mode,
      create: { topics: true, groups: true, queues: 2 },
      secret: Buffer.from('the secret of the set'),
      grpcAddress: `${name}:${CLIENT_PORT}`,
      haIfMaster: `${name}:${HA_PORT}`,
      ...(reservedMs !== undefined && { retention: { ...HASTY, reservedMs } }),
      flushTimeoutMs: 5_000,
      slaveTimeoutMs: 3_000,
      ...(name === MASTER
        ? { master }
        : {
            slave: {
              ...slave,
              masterHa: { host: MASTER, port: HA_PORT },
              masterGrpc: `${MASTER}:${METADATA_PORT}`,
            },
          }),
    }
  }
}

/** The disk is full; where it was met inside the store there is the system's own word only. */
function lacksRoom(cause: unknown): boolean {
  return (cause instanceof BrokerError && cause.code === 'DISK_FULL') || messageOf(cause).includes('ENOSPC')
}
