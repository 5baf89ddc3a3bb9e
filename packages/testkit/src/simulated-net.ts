import type { Clock } from '@tandemmq/base'
import { SeededRandom, type Span } from './seeded-random.ts'
import { SimulatedHost } from './simulated-host.ts'
import { SimulatedLink } from './simulated-link.ts'

export interface SimulatedNetOptions {
  readonly clock: Clock
  readonly random: SeededRandom
  /** How long a packet takes (default 1-2 ms). */
  readonly delayMs?: Span
}

/** Hosts by name and the links between them. All misfortunes are ordered here. */
export class SimulatedNet {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly #delayMs: Span
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #links = new Map<string, SimulatedLink>()

  constructor(options: SimulatedNetOptions) {
    this.clock = options.clock
    this.random = options.random
    this.#delayMs = options.delayMs ?? { min: 1, max: 2 }
  }

  /** The host of that name; it comes to be when first asked for. Its name is its address. */
  host(name: string): SimulatedHost {
    const known = this.#hosts.get(name)
    if (known) return known
    const host = new SimulatedHost(name, this)
    this.#hosts.set(name, host)
    return host
  }

  find(name: string): SimulatedHost | undefined {
    return this.#hosts.get(name)
  }

  link(from: string, to: string): SimulatedLink {
    const key = `${from} → ${to}`
    const known = this.#links.get(key)
    if (known) return known
    const link = new SimulatedLink(this.clock, this.random, this.#delayMs)
    this.#links.set(key, link)
    return link
  }

  /** Sets how long packets take between two hosts, both ways. */
  delay(one: string, other: string, span: Span): void {
    this.link(one, other).delay(span)
    this.link(other, one).delay(span)
  }

  /** Nothing passes either way. Connections stay; what is sent waits for {@link heal}. */
  cut(one: string, other: string): void {
    this.cutOneWay(one, other)
    this.cutOneWay(other, one)
  }

  /** Nothing passes from `from` to `to`; the other way is open. */
  cutOneWay(from: string, to: string): void {
    this.link(from, to).cut()
  }

  /** Cuts each host of one group from each host of the other. */
  partition(group: readonly string[], others: readonly string[]): void {
    for (const one of group) for (const other of others) this.cut(one, other)
  }

  /** Takes back cut and stall between two hosts, both ways. */
  heal(one: string, other: string): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      this.link(from, to).heal()
      this.find(to)?.wake()
    }
  }

  healAll(): void {
    for (const link of this.#links.values()) link.heal()
    for (const host of this.#hosts.values()) host.wake()
  }

  /** `to` no longer reads what `from` sends: the window fills, then the writer's buffer. */
  stall(from: string, to: string): void {
    this.link(from, to).stall()
  }

  /** Existing connections between the two carry nothing any more and nobody is told; new ones work. */
  silence(one: string, other: string): void {
    for (const connection of this.#between(one, other)) connection.silence()
  }

  /** Existing connections between the two are reset, on both ends. */
  reset(one: string, other: string): void {
    for (const connection of this.#between(one, other)) connection.reset()
  }

  #between(one: string, other: string) {
    return [...this.host(one).connectionsTo(other), ...this.host(other).connectionsTo(one)]
  }
}
