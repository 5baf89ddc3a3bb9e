import { RegistryRelay, type ServingView } from '@tandemmq/registry'
import type { ProcessPorts, SimulatedMachine } from '@tandemmq/testkit'
import { Gateway } from './gateway.ts'
import { MachineProcess } from './machine-process.ts'
import { RELAY_PORT, type MetadataServices } from './metadata-node.ts'
import { METADATA } from './plan.ts'
import { tellServing, type Story } from './story.ts'

/** The machine of a second metadata-rpc, which relays: a gateway by what it hears from the first one's registry (rule 4.8). */
export class RelayNode extends MachineProcess {
  readonly #services: MetadataServices
  readonly #story: Story
  readonly #set: string
  #view: ServingView | undefined
  #gateway: Gateway | undefined

  constructor(machine: SimulatedMachine, services: MetadataServices, story: Story, set: string) {
    super(machine)
    this.#services = services
    this.#story = story
    this.#set = set
  }

  /** Where clients go; undefined while nobody would answer them. Its port is closed before the grantor was heard once. */
  get gateway(): Gateway | undefined {
    return this.state === 'up' ? this.#gateway : undefined
  }

  /** What it goes by, while the process lives. */
  get view(): ServingView | undefined {
    return this.#view
  }

  protected override begun(ports: ProcessPorts): void {
    const { net, clock } = ports
    const { name } = this
    const { relays, clients: service } = this.#services
    const logger = this.#story.logger(name)
    const hello = { cluster: 'DefaultCluster', identity: name }
    const link = relays.link(ports, { host: METADATA, port: RELAY_PORT })
    const relay = RegistryRelay.start(hello, { ...ports, logger }, link)
    const { view } = relay
    this.#view = view
    tellServing(this.#story, name, view)
    void relay.heard.then(() => {
      if (this.#view === view) this.#gateway = new Gateway({ net, clock, view, service, set: this.#set })
    })
  }

  protected override ended(): void {
    this.#gateway = undefined
    this.#view = undefined
  }
}
