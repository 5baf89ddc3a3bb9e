import { Registry, SetRecordsFile, type Appointment, type SetRecords } from '@tandemmq/registry'
import type { SimulatedMachine } from '@tandemmq/testkit'
import type { ClientService } from './client-service.ts'
import { Gateway } from './gateway.ts'
import type { MachineProcess } from './machine-process.ts'
import type { RegistryService } from './registry-service.ts'
import type { RelayService } from './relay-service.ts'
import { tellServing, type Story } from './story.ts'

export const REGISTRY_PORT = 8081
export const RELAY_PORT = 8084
const ROOT = '/data'

export interface MetadataServices {
  readonly registry: RegistryService
  readonly relays: RelayService
  readonly clients: ClientService
}

/** The machine of metadata-rpc: registry and gateway in one process. */
export class MetadataNode implements MachineProcess {
  readonly machine: SimulatedMachine
  readonly #services: MetadataServices
  readonly #story: Story
  readonly #set: string
  #state: 'down' | 'up' | 'stopped' = 'down'
  #registry: Registry | undefined
  #gateway: Gateway | undefined
  #records: SetRecords | undefined

  constructor(machine: SimulatedMachine, services: MetadataServices, story: Story, set: string) {
    this.machine = machine
    this.#services = services
    this.#story = story
    this.#set = set
  }

  get name(): string {
    return this.machine.name
  }

  get state(): 'down' | 'up' | 'stopped' {
    return this.#state
  }

  /** Where clients go; undefined while nobody would answer them. */
  get gateway(): Gateway | undefined {
    return this.#state === 'up' ? this.#gateway : undefined
  }

  /** While the process lives and runs. */
  get registry(): Registry | undefined {
    return this.#state === 'up' ? this.#registry : undefined
  }

  /** Who was made the master last, as this machine knows it. */
  get appointment(): Appointment | undefined {
    return this.#records?.all.find(({ set }) => set === this.#set)?.appointment
  }

  start(): void {
    if (this.#state !== 'down') return
    this.#state = 'up'
    const ports = this.machine.boot()
    const { net, clock } = ports
    const { name } = this
    const { registry: members, relays, clients: service } = this.#services
    const logger = this.#story.logger(name)
    ports.files.makeDirectory(ROOT)
    const records = SetRecordsFile.open(ports.files, ROOT, logger)
    this.#records = records
    const registry = new Registry({}, { clock, logger, records })
    const { view } = registry
    this.#registry = registry
    this.#gateway = new Gateway({ net, clock, view, service, set: this.#set })
    tellServing(this.#story, name, view)
    void members.serve(ports, { host: name, port: REGISTRY_PORT }, registry)
    void relays.serve(ports, { host: name, port: RELAY_PORT }, registry)
  }

  kill(): void {
    this.#state = 'down'
    this.#gateway = undefined
    this.#registry = undefined
    this.machine.kill()
  }

  stop(): void {
    if (this.#state !== 'up') return
    this.#state = 'stopped'
    this.machine.freeze()
  }

  goOn(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'up'
    this.machine.thaw()
  }
}
