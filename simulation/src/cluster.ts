import { invariant } from '@tandemmq/base'
import { SeededRandom, SimulatedClock, SimulatedMachine, SimulatedNet, type Span } from '@tandemmq/testkit'
import { BrokerNode, SET, type BrokerWatch } from './broker-node.ts'
import { ClientService } from './client-service.ts'
import type { Gateway } from './gateway.ts'
import { HandBackService } from './hand-back-service.ts'
import type { MachineProcess } from './machine-process.ts'
import { MetadataNode } from './metadata-node.ts'
import { MetadataService } from './metadata-service.ts'
import { MASTER, METADATA, RELAY, SLOW, type Plan } from './plan.ts'
import { RegistryService } from './registry-service.ts'
import { RelayNode } from './relay-node.ts'
import { RelayService } from './relay-service.ts'
import type { Story } from './story.ts'

/** The machines of one cluster, on one net and one clock. */
export class Cluster {
  readonly time: SimulatedClock
  readonly net: SimulatedNet
  readonly metadata: MetadataNode
  /** A second gateway, where the plan has one. */
  readonly relay: RelayNode | undefined
  readonly brokers: readonly BrokerNode[]
  readonly #delayMs: Span
  /** Until when packets between two may take long, by {@link pairOf}. */
  readonly #slowUntil = new Map<string, number>()

  constructor(plan: Plan, time: SimulatedClock, random: SeededRandom, story: Story, watch: BrokerWatch) {
    this.time = time
    this.#delayMs = plan.delayMs
    this.net = new SimulatedNet({ clock: time, random: random.fork(), delayMs: plan.delayMs })
    const { net } = this
    const machine = (name: string): SimulatedMachine =>
      new SimulatedMachine({ name, time, net, random: random.fork(), syncMs: plan.syncMs })
    const services = {
      registry: new RegistryService(),
      relays: new RelayService(),
      metadata: new MetadataService(),
      clients: new ClientService(),
      handBacks: new HandBackService(),
    }
    this.metadata = new MetadataNode(machine(METADATA), services, story, SET)
    this.brokers = [MASTER, ...plan.slaves].map(
      (name) => new BrokerNode(machine(name), plan, services, story, watch),
    )
    if (plan.hasRelay) this.relay = new RelayNode(machine(RELAY), services, story, SET)
  }

  /** Whoever is meant to be: as configured, or by the newest appointment. */
  get master(): BrokerNode {
    const newest = [this.metadata, ...this.brokers]
      .flatMap(({ appointment }) => appointment ?? [])
      .toSorted((one, other) => other.epoch - one.epoch)[0]
    const master = this.broker(newest?.identity ?? MASTER)
    invariant(master !== undefined, 'the master is one of the brokers')
    return master
  }

  /** All others whose machines are not lost. */
  get slaves(): readonly BrokerNode[] {
    const { master } = this
    return this.brokers.filter((node) => node !== master && !node.isLost)
  }

  /** The node of that name; undefined for the metadata machine. */
  broker(name: string): BrokerNode | undefined {
    return this.brokers.find((node) => node.name === name)
  }

  get processes(): readonly MachineProcess[] {
    return [...this.brokers, this.metadata, ...(this.relay ? [this.relay] : [])]
  }

  process(name: string): MachineProcess {
    const process = this.processes.find((known) => known.name === name)
    invariant(process !== undefined, `there is a machine ${name}`)
    return process
  }

  start(name: string): void {
    this.process(name).start()
  }

  /** The gateway that a client goes to next: any that is there. */
  gateway(random: SeededRandom): Gateway | undefined {
    if (this.relay === undefined) return this.metadata.gateway
    const open = [this.metadata.gateway, this.relay.gateway].filter((gateway) => gateway !== undefined)
    return open[random.below(Math.max(1, open.length))]
  }

  /** Whether every gateway has heard the master since then (monotonic, ms): a connection that broke off unheard is found out. */
  gatewaysHear(since: number): boolean {
    const gateways = [this.metadata.gateway, ...(this.relay ? [this.relay.gateway] : [])]
    return gateways.every((gateway) => gateway?.hearsMaster(since) === true)
  }

  /** Whether anything keeps these two from hearing each other at this instant. */
  isDisturbed(one: BrokerNode, other: BrokerNode): boolean {
    const isCut = this.net.link(one.name, other.name).isCut || this.net.link(other.name, one.name).isCut
    const isSlow = (this.#slowUntil.get(pairOf(one.name, other.name)) ?? 0) > this.time.monotonic()
    return isCut || isSlow || one.state !== 'up' || other.state !== 'up'
  }

  /** From now on packets between the two take long. */
  slowDown(one: string, other: string): void {
    this.net.delay(one, other, SLOW)
    this.#slowUntil.set(pairOf(one, other), Infinity)
  }

  /** Packets sent from now on take as long as the plan says. */
  speedUp(one: string, other: string): void {
    this.net.delay(one, other, this.#delayMs)
    if (!this.#slowUntil.has(pairOf(one, other))) return
    this.#slowUntil.set(pairOf(one, other), this.time.monotonic() + SLOW.max)
  }

  /** All is as it was meant to be: the master serves and takes messages, every slave follows it and has all that it has. */
  get isWell(): boolean {
    const set = this.metadata.registry?.view.set(SET)
    const { broker, name } = this.master
    if (set?.serving?.identity !== name || set.writable?.identity !== name || broker?.role.kind !== 'master')
      return false
    if (!this.#relaysWell) return false
    // The registry may still believe in the process before.
    if (broker.servingEpoch !== set.serving.epoch || broker.problems.length > 0) return false
    return this.slaves.every((node) => {
      const role = node.broker?.role
      const isFollowing = role?.kind === 'slave' && role.masterConnected && this.#isKnown(node.name)
      return isFollowing && node.broker?.store.end === broker.store.end
    })
  }

  /** The relay goes by what the registry says. */
  get #relaysWell(): boolean {
    if (this.relay === undefined) return true
    const told = this.relay.view?.set(SET)
    const { serving, writable } = this.metadata.registry?.view.set(SET) ?? {}
    const isCertain = told?.serving?.epoch === serving?.epoch && told?.serving?.onPromise !== true
    return isCertain && told?.writable?.identity === writable?.identity
  }

  /** Whether the master counts on this slave. */
  #isKnown(slave: string): boolean {
    const role = this.master.broker?.role
    return (
      role?.kind === 'master' && role.replicas().some(({ identity, known }) => identity === slave && known)
    )
  }
}

function pairOf(one: string, other: string): string {
  return [one, other].toSorted().join(' and ')
}
