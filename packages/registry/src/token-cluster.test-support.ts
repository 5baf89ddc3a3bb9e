import { BrokerError, silentLogger } from '@tandemmq/base'
import { MachineClock, SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { expect } from 'vitest'
import { LeaseExtension } from './lease-extension.ts'
import { noDetails, type MemberHello, type MemberRole } from './member.ts'
import { Registration } from './registration.ts'
import type { RegistryLink } from './registry-link.ts'
import { RegistryRelay } from './registry-relay.ts'
import type { RegistryOptions } from './registry-state.ts'
import type { RelayLink } from './relay-link.ts'
import { Registry } from './registry.ts'

/** A registry, its members and who relays for it, each with an own clock that can stop, over a network that delays and cuts. */
export class TokenCluster {
  readonly time = new SimulatedClock()
  readonly members = new Map<string, Member>()
  readonly relays = new Map<string, Relay>()
  readonly lines: string[] = []
  /** By what right a relay ever found somebody who would answer. */
  readonly answeredByRelay = new Set<'by lease' | 'on promise'>()
  /** Masters and slaves do not hear each other. */
  isParted = false
  /** Slaves of which a process has promised. */
  readonly promised = new Set<string>()
  /** Who ever served under an epoch. */
  readonly holders = new Map<number, Set<string>>()
  readonly #options: Partial<RegistryOptions>
  readonly #random: SeededRandom
  readonly #delayMaxMs: number
  /** Epochs by order of appearance, for reading. */
  readonly #epochs: number[] = []
  registryClock = new MachineClock(this.time)
  registry: Registry

  constructor(options: Partial<RegistryOptions> = {}, delayMaxMs = 1, seed = 1) {
    this.#options = options
    this.#delayMaxMs = delayMaxMs
    this.#random = new SeededRandom(seed)
    this.registry = this.#newRegistry()
  }

  join(name: string, role: MemberRole, end = 0, replicas = 2): void {
    this.members.get(name)?.kill()
    const member = new Member(this, name, role, end, replicas)
    this.members.set(name, member)
    member.registration.onServing((epoch) => {
      this.say(epoch === undefined ? `${name} stops` : `${name} serves under #${this.#numberOf(epoch)}`)
    })
    member.registration.onAnswer(() => this.check())
  }

  /** What a master asks its slaves goes past the registry, and so do their answers. */
  askAll(master: Member, question: number): void {
    for (const slave of this.members.values()) {
      if (slave.role === 'master' || slave.isDead) continue
      this.#carry(slave.clock, () => {
        if (slave.isDead || !slave.registration.abstain()) return
        this.promised.add(slave.name)
        this.#carry(master.clock, () => master.extension?.promised(slave.name, question))
      })
    }
  }

  /** Lost if the link is down at either end of its way. */
  #carry(to: MachineClock, task: () => void): void {
    if (this.isParted) return
    to.after(this.delayMs(), () => {
      if (!this.isParted) task()
    })
  }

  relay(name: string): void {
    this.relays.get(name)?.kill()
    this.relays.set(name, new Relay(this, name))
  }

  /**
   * No relay passes calls to a member that still answers them while another one answers under a newer epoch (rule 4.2): what the older one says
   * would count here and nowhere else.
   */
  checkRelays(): void {
    const now = this.time.monotonic()
    const serving = [...this.members.values()].flatMap(({ isDead, registration: { holder } }) => {
      const epoch = holder.servingEpoch(now)
      return isDead || epoch === undefined ? [] : [{ epoch, isPromised: holder.isPromised(now) }]
    })
    for (const { name, isDead, relay } of this.relays.values()) {
      const known = relay.view.set('broker-a')?.serving
      const answers = serving.some(
        ({ epoch, isPromised }) => epoch === known?.epoch && (isPromised || known.onPromise !== true),
      )
      if (isDead || !answers) continue
      this.answeredByRelay.add(known?.onPromise === true ? 'on promise' : 'by lease')
      const newest = Math.max(...serving.map(({ epoch }) => epoch))
      expect(newest, `the epoch that ${name} goes by`).toBe(known?.epoch)
    }
  }

  restartRegistry(): void {
    this.registry.close()
    this.registryClock.kill()
    this.registryClock = new MachineClock(this.time)
    this.registry = this.#newRegistry()
  }

  delayMs(): number {
    return 1 + this.#random.below(this.#delayMaxMs)
  }

  say(what: string): void {
    this.lines.push(`${String(this.time.monotonic()).padStart(5)} ${what}`)
  }

  /** Everybody who would answer a consumer at this moment. */
  serving(): readonly string[] {
    const now = this.time.monotonic()
    return [...this.members.values()].flatMap(({ name, isDead, registration }) => {
      const epoch = registration.holder.servingEpoch(now)
      return isDead || epoch === undefined ? [] : [`${name} #${epoch}`]
    })
  }

  /** Never two in one epoch. */
  check(): void {
    const now = this.time.monotonic()
    for (const { name, registration } of this.members.values()) {
      const epoch = registration.holder.servingEpoch(now)
      if (epoch === undefined) continue
      const holders = this.holders.get(epoch) ?? new Set()
      this.holders.set(epoch, holders.add(name))
      expect([...holders], `epoch ${epoch}`).toHaveLength(1)
    }
  }

  #numberOf(epoch: number): number {
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch)
    return this.#epochs.indexOf(epoch) + 1
  }

  #newRegistry(): Registry {
    return new Registry(this.#options, { clock: this.registryClock, logger: silentLogger })
  }
}

/** One process that reaches the registry over a way of its own, until it is killed or cut off. */
class Machine {
  readonly name: string
  readonly clock: MachineClock
  isDead = false
  /** The registry cannot be reached from here; everybody else can. */
  isCutOff = false
  cut: () => void = () => {}
  readonly #cluster: TokenCluster

  constructor(cluster: TokenCluster, name: string) {
    this.#cluster = cluster
    this.name = name
    this.clock = new MachineClock(cluster.time)
  }

  cutOff(): void {
    this.isCutOff = true
    this.cut()
  }

  kill(): void {
    this.isDead = true
    this.clock.kill()
    this.cut()
  }

  /** A session at the registry as it is now: `open` begins it there, and everything takes its time on the way. */
  reach<Status, Answer>(
    open: (registry: Registry, on: SessionEnd<Answer>) => ReachedSession<Status>,
    { onAnswer, onClosed }: SessionEnd<Answer>,
  ): ReachedSession<Status> {
    const cluster = this.#cluster
    const { registry } = cluster
    let session: ReachedSession<Status> | undefined
    let isOver = false
    const { up, down } = wire(cluster, this.clock)
    if (this.isCutOff) {
      down(() => onClosed(new BrokerError('UNAVAILABLE', 'no way')))
      return { send: () => {}, close: () => {} }
    }
    up(() => {
      session = open(registry, {
        onAnswer: (answer) => !isOver && down(() => onAnswer(answer)),
        onClosed: (why) => {
          isOver = true
          down(() => onClosed(why))
        },
      })
      if (registry !== cluster.registry) session.close()
    })
    const close = (): void => {
      isOver = true
      up(() => session?.close())
    }
    this.cut = () => {
      close()
      down(() => onClosed(new BrokerError('UNAVAILABLE', 'cut')))
    }
    return { send: (status) => !isOver && up(() => session?.send(status)), close }
  }
}

interface SessionEnd<Answer> {
  readonly onAnswer: (answer: Answer) => void
  readonly onClosed: (why: BrokerError) => void
}

interface ReachedSession<Status> {
  send(status: Status): void
  close(): void
}

class Member extends Machine {
  readonly role: MemberRole
  readonly registration: Registration
  /** Only of a master that `askAll` can ask for. */
  readonly extension: LeaseExtension | undefined

  constructor(cluster: TokenCluster, name: string, role: MemberRole, end: number, totalReplicas: number) {
    super(cluster, name)
    this.role = role
    const log = { logId: '', lastEpoch: 1, end }
    const hello: Omit<MemberHello, 'heldLease' | 'seenServingEpoch'> = {
      cluster: 'DefaultCluster',
      set: 'broker-a',
      identity: name,
      instanceId: `${name}.${cluster.time.monotonic()}`,
      role,
      grpcAddress: `${name}:8081`,
      haAddress: '',
      totalReplicas,
      inSyncReplicas: 1,
      ...log,
    }
    const positions = {
      flushed: end,
      confirmed: end,
      dispatched: end,
      writable: role === 'master',
      diskFull: false,
    }
    this.registration = Registration.start(
      {},
      { clock: this.clock, random: new SeededRandom(7), logger: silentLogger },
      this.#link(),
      { hello: () => hello, status: () => ({ ...log, ...positions, details: noDetails }) },
    )
    if (cluster.promised.has(name)) this.registration.keepEarlierPromise()
    if (role === 'master') {
      this.extension = new LeaseExtension({
        registration: this.registration,
        clock: this.clock,
        ask: (question) => cluster.askAll(this, question),
        others: () => new Set([...cluster.members.keys()].filter((other) => other !== name)),
        othersMin: totalReplicas - 1,
      })
    }
  }

  #link(): RegistryLink {
    return {
      open: (hello, onAnswer, onClosed) =>
        this.reach((registry, on) => registry.open(hello, on.onAnswer, on.onClosed), { onAnswer, onClosed }),
    }
  }
}

/** Another gateway, which follows the registry. */
class Relay extends Machine {
  readonly relay: RegistryRelay

  constructor(cluster: TokenCluster, name: string) {
    super(cluster, name)
    const ports = { clock: this.clock, random: new SeededRandom(7), logger: silentLogger }
    this.relay = RegistryRelay.start({ cluster: 'DefaultCluster', identity: name }, ports, this.#link())
    let told = ''
    this.relay.view.onChange(({ serving, retired }) => {
      const holder = serving && `${serving.identity}${serving.onPromise === true ? ' on promise' : ''}`
      const what = holder ?? (retired === undefined ? 'nobody' : 'nobody any more')
      if (what !== told) cluster.say(`${name} goes to ${what}`)
      told = what
    })
  }

  #link(): RelayLink {
    return {
      follow: (hello, onAnswer, onClosed) =>
        this.reach((registry, on) => registry.follow(hello, on.onAnswer, on.onClosed), {
          onAnswer,
          onClosed,
        }),
    }
  }
}

/** Ordered both ways; each side learns of the end by itself. A stopped process gets everything when it goes on. */
function wire(cluster: TokenCluster, clock: MachineClock) {
  const { registryClock } = cluster
  let upAt = 0
  let downAt = 0
  return {
    up: (task: () => void): void => {
      const now = cluster.time.monotonic()
      upAt = Math.max(upAt, now + cluster.delayMs())
      registryClock.after(upAt - now, task)
    },
    down: (task: () => void): void => {
      const now = cluster.time.monotonic()
      downAt = Math.max(downAt, now + cluster.delayMs())
      clock.after(downAt - now, task)
    },
  }
}
