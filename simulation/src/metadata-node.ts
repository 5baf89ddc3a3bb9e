import { Registry, SetRecordsFile, type Appointment, type SetRecords } from '@tandemmq/registry'
import type { SimulatedMachine } from '@tandemmq/testkit'
import type { ClientService } from './client-service.ts'
import { Gateway } from './gateway.ts'
import type { RegistryService } from './registry-service.ts'
import type { Story } from './story.ts'

export const REGISTRY_PORT = 8081
const ROOT = '/data'

/** The machine of metadata-rpc: registry and gateway in one process. */
export class MetadataNode {
  readonly machine: SimulatedMachine
  readonly #registryService: RegistryService
  readonly #clientService: ClientService
  readonly #story: Story
  readonly #set: string
  #registry: Registry | undefined
  #gateway: Gateway | undefined
  #records: SetRecords | undefined

  constructor(
    machine: SimulatedMachine,
    services: { readonly registry: RegistryService; readonly clients: ClientService },
    story: Story,
    set: string,
  ) {
    this.machine = machine
    this.#registryService = services.registry
    this.#clientService = services.clients
    this.#story = story
    this.#set = set
  }

  get isUp(): boolean {
    return this.#gateway !== undefined
  }

  /** Where clients go; undefined while the process is down. */
  get gateway(): Gateway | undefined {
    return this.#gateway
  }

  get registry(): Registry | undefined {
    return this.#registry
  }

  /** Who was made the master last, as this machine knows it. */
  get appointment(): Appointment | undefined {
    return this.#records?.all.find(({ set }) => set === this.#set)?.appointment
  }

  start(): void {
    const ports = this.machine.boot()
    const { net, clock } = ports
    const { name } = this.machine
    const logger = this.#story.logger(name)
    ports.files.makeDirectory(ROOT)
    const records = SetRecordsFile.open(ports.files, ROOT, logger)
    this.#records = records
    const registry = new Registry({}, { clock, logger, records })
    const { view } = registry
    this.#registry = registry
    this.#gateway = new Gateway({ net, clock, view, service: this.#clientService, set: this.#set })
    view.onChange(({ serving, writable }) =>
      this.#story.say(
        name,
        `serving: ${serving === undefined ? 'nobody' : `${serving.identity}${serving.suspect ? ' (suspect)' : ''}`}, writable: ${writable?.identity ?? 'nobody'}`,
      ),
    )
    void this.#registryService.serve(ports, { host: name, port: REGISTRY_PORT }, registry)
  }

  kill(): void {
    this.#gateway = undefined
    this.#registry = undefined
    this.machine.kill()
  }
}
