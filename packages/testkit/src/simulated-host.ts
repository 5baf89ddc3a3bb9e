import type { Address, Clock, Connection, Listener, Net } from '@tandemmq/base'
import type { SeededRandom } from './seeded-random.ts'
import { SimulatedConnection } from './simulated-connection.ts'
import type { SimulatedLink } from './simulated-link.ts'
import { systemError } from './system-error.ts'

/** A connection attempt that hears nothing gives up after this. */
const CONNECT_TIMEOUT_MS = 60_000
const FIRST_FREE_PORT = 40_000

/** What a host needs of the net it is part of. */
interface Surroundings {
  readonly clock: Clock
  readonly random: SeededRandom
  link(from: string, to: string): SimulatedLink
  find(name: string): SimulatedHost | undefined
}

type Accept = (connection: Connection) => void

/** One machine on the simulated net. It survives its processes: after {@link kill} the same object listens anew. */
export class SimulatedHost implements Net {
  readonly name: string
  readonly #net: Surroundings
  readonly #connections = new Set<SimulatedConnection>()
  readonly #listeners = new Map<number, Accept>()
  readonly #acceptLater: (() => void)[] = []
  readonly #powerLater: (() => void)[] = []
  #freePort = FIRST_FREE_PORT
  #state: 'on' | 'frozen' | 'off' = 'on'
  #incarnation = 0

  constructor(name: string, net: Surroundings) {
    this.name = name
    this.#net = net
  }

  isAwake(): boolean {
    return this.#state === 'on'
  }

  /** The net as one process sees it: it can do nothing more after the process died. */
  attach(): Net {
    const incarnation = this.#incarnation
    const live = (call: string): void => {
      if (incarnation !== this.#incarnation) throw systemError('ENETDOWN', call, this.name)
    }
    return {
      listen: async (address, accept) => {
        live('listen')
        return this.listen(address, accept)
      },
      connect: async (address, signal) => {
        live('connect')
        return this.connect(address, signal)
      },
    }
  }

  /** The process dies: listeners close, the kernel tells the peers, as far as the links let it. */
  kill(): void {
    this.#stop('killed')
  }

  /** The machine goes dark: nobody is told. */
  powerOff(): void {
    this.#stop('power')
    this.#state = 'off'
  }

  powerOn(): void {
    this.#state = 'on'
    for (const task of this.#powerLater.splice(0)) task()
  }

  whenPowered(task: () => void): void {
    if (this.#state === 'off') this.#powerLater.push(task)
    else task()
  }

  /** SIGSTOP: the kernel goes on accepting and buffering, the process sees nothing. */
  freeze(): void {
    if (this.#state === 'on') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state === 'frozen') this.#state = 'on'
    for (const task of this.#acceptLater.splice(0)) task()
    this.wake()
  }

  wake(): void {
    for (const connection of this.#connections) connection.wake()
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection)
  }

  connectionsTo(name: string): SimulatedConnection[] {
    return [...this.#connections].filter((connection) => connection.peerHostName === name)
  }

  async listen(address: Address, accept: Accept): Promise<Listener> {
    const port = address.port === 0 ? this.#anyPort() : address.port
    if (this.#listeners.has(port)) throw systemError('EADDRINUSE', 'listen', `${this.name}:${port}`)
    const accepted = new Set<Connection>()
    const listener: Accept = (connection) => {
      accepted.add(connection)
      accept(connection)
    }
    this.#listeners.set(port, listener)
    return {
      address: { host: this.name, port },
      close: async () => {
        if (this.#listeners.get(port) === listener) this.#listeners.delete(port)
        for (const connection of accepted) connection.destroy()
      },
    }
  }

  connect(address: Address, signal?: AbortSignal): Promise<Connection> {
    const target = isLoopback(address.host) ? this.name : address.host
    const out = this.#net.link(this.name, target)
    const back = this.#net.link(target, this.name)
    return new Promise((resolve, reject) => {
      let open = true
      const incarnation = this.#incarnation
      const settle = (how: () => void): void => {
        if (!open || incarnation !== this.#incarnation) return
        open = false
        timeout.cancel()
        signal?.removeEventListener('abort', abort)
        how()
      }
      const abort = (): void => settle(() => reject(signal?.reason))
      const fail = (code: string): void =>
        settle(() => reject(systemError(code, 'connect', `${address.host}:${address.port}`)))
      const timeout = this.#net.clock.after(CONNECT_TIMEOUT_MS, () => fail('ETIMEDOUT'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      const arrive = (): void => {
        const host = this.#net.find(target)
        if (!open || host === undefined) return // Nobody answers.
        if (host.#state === 'off') return host.whenPowered(arrive) // Asked again and again.
        const accept = host.#listeners.get(address.port)
        if (accept === undefined) return back.pass(() => fail('ECONNREFUSED'))
        const ends = this.#join(host, address.port)
        host.#accepted(() => accept(ends.theirs))
        back.pass(() => {
          if (open && incarnation === this.#incarnation) settle(() => resolve(ends.ours))
          else ends.ours.reset()
        })
      }
      out.pass(arrive)
    })
  }

  #join(host: SimulatedHost, port: number): { ours: SimulatedConnection; theirs: SimulatedConnection } {
    const { clock, random } = this.#net
    const outward = this.#net.link(this.name, host.name)
    const inward = this.#net.link(host.name, this.name)
    const ours = new SimulatedConnection({
      clock,
      random,
      owner: this,
      remote: `${host.name}:${port}`,
      outward,
      inward,
    })
    const theirs = new SimulatedConnection({
      clock,
      random,
      owner: host,
      remote: `${this.name}:${this.#anyPort()}`,
      outward: inward,
      inward: outward,
    })
    SimulatedConnection.join(ours, theirs)
    this.#connections.add(ours)
    host.#connections.add(theirs)
    return { ours, theirs }
  }

  #accepted(task: () => void): void {
    if (this.#state === 'frozen') this.#acceptLater.push(task)
    else task()
  }

  #anyPort(): number {
    this.#freePort += 1
    return this.#freePort
  }

  #stop(how: 'killed' | 'power'): void {
    this.#incarnation += 1
    this.#listeners.clear()
    this.#acceptLater.length = 0
    for (const connection of this.#connections) connection.die(how)
    this.#connections.clear()
    this.#state = 'on'
  }
}

function isLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === 'localhost' || host === '::1'
}
