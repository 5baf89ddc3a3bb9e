import type { HandBackWay } from '@tandemmq/metadata'
import { Registry, SetRecordsFile, type Appointment, type SetRecords } from '@tandemmq/registry'
import type { ProcessPorts, SimulatedMachine } from '@tandemmq/testkit'
import type { ClientService } from './client-service.ts'
import { Gateway } from './gateway.ts'
import type { HandBackService } from './hand-back-service.ts'
import { MachineProcess } from './machine-process.ts'
import { METADATA_PORT, type MetadataService } from './metadata-service.ts'
import type { RegistryService } from './registry-service.ts'
import type { RelayService } from './relay-service.ts'
import { tellServing, type Story } from './story.ts'

export const REGISTRY_PORT = 8081
export const RELAY_PORT = 8084
export const HAND_BACK_PORT = 8085
const ROOT = '/data'

export interface MetadataServices {
  readonly registry: RegistryService
  readonly relays: RelayService
  readonly clients: ClientService
  readonly metadata: MetadataService
  readonly handBacks: HandBackService
}

/** The machine of metadata-rpc: registry and gateway in one process. */
export class MetadataNode extends MachineProcess {
  readonly #services: MetadataServices
  readonly #story: Story
  readonly #set: string
  #registry: Registry | undefined
  #gateway: Gateway | undefined
  #records: SetRecords | undefined

  constructor(machine: SimulatedMachine, services: MetadataServices, story: Story, set: string) {
    super(machine)
    this.#services = services
    this.#story = story
    this.#set = set
  }

  /** Where clients go; undefined while nobody would answer them. */
  get gateway(): Gateway | undefined {
    return this.state === 'up' ? this.#gateway : undefined
  }

  /** While the process lives and runs. */
  get registry(): Registry | undefined {
    return this.state === 'up' ? this.#registry : undefined
  }

  /** Who was made the master last, as this machine knows it. */
  get appointment(): Appointment | undefined {
    return this.#records?.all.find(({ set }) => set === this.#set)?.appointment
  }

  protected override begun(ports: ProcessPorts): void {
    const { net, clock } = ports
    const { name } = this
    const { registry: members, relays, clients: service, metadata, handBacks } = this.#services
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
    const onward = (grpcAddress: string): HandBackWay =>
      metadata.source(ports, name, { host: hostOf(grpcAddress), port: METADATA_PORT })
    void handBacks.serve(ports, { host: name, port: HAND_BACK_PORT }, view, onward)
    void relays.serve(ports, { host: name, port: RELAY_PORT }, registry)
  }

  protected override ended(): void {
    this.#gateway = undefined
    this.#registry = undefined
  }
}

/** Of `host:port`. */
export function hostOf(address: string): string {
  return address.split(':')[0] ?? ''
}
