import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const PREFIX = 'tandemmq-rounds'
/** Addresses for tests of networks (RFC 2544): nobody's. */
const SUBNETS = '198.18'
/** The machine this process runs on, where clients are. */
export const HERE = 'here'
const SWITCH = 'switch'
const FIRST_HOST = 10
/** No machine has this one: what is sent to it is lost without a word. */
const NOWHERE = '02:00:00:00:ff:ff'

/**
 * Machines as network namespaces, each with one link to a switch, which is a bridge in a namespace of its own: no packet filter of this machine has
 * a say. Who can be reached stands in tables that this alone writes (permanent neighbours), so that a way can be cut in one direction: packets
 * go to an address that nobody has. Everything is gone with {@link Network[Symbol.dispose]}. Needs root; throws without.
 */
export class Network implements Disposable {
  readonly #names: readonly string[]
  readonly #subnet: number
  readonly #cut = new Set<string>()

  private constructor(names: readonly string[], subnet: number) {
    this.#names = [HERE, ...names]
    this.#subnet = subnet
  }

  /** A network of machines with these names, and this one. */
  static make(names: readonly string[]): Network {
    removeLeftovers()
    const network = new Network(names, freeSubnet())
    try {
      network.#begin()
    } catch (failure) {
      network[Symbol.dispose]()
      throw failure
    }
    return network
  }

  address(name: string): string {
    const index = this.#indexOf(name)
    return `${SUBNETS}.${this.#subnet}.${index === 0 ? 1 : FIRST_HOST + index}`
  }

  namespace(name: string): string {
    return `${PREFIX}-${process.pid}-${name}`
  }

  /** What `from` sends to `to` is lost from now on. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`)
    this.#setWay(from, to, NOWHERE)
  }

  /** Both ways. */
  cutBetween(one: string, other: string): void {
    this.cut(one, other)
    this.cut(other, one)
  }

  /** Nothing comes from or to it any more, from anywhere. */
  isolate(name: string): void {
    for (const other of this.#names) if (other !== name) this.cutBetween(name, other)
  }

  /** The ways of `name` alone, or all, are as they were. */
  heal(name?: string): void {
    for (const way of this.#cut) {
      const [from = '', to = ''] = way.split(' ')
      if (name !== undefined && from !== name && to !== name) continue
      this.#cut.delete(way)
      this.#setWay(from, to, this.#hardwareAddress(to))
    }
  }

  [Symbol.dispose](): void {
    removeOwnNetwork()
  }

  #begin(): void {
    const machines = this.#names.slice(1)
    ip('netns', 'add', this.namespace(SWITCH))
    inside(this.namespace(SWITCH), 'link', 'add', 'switch', 'type', 'bridge')
    inside(this.namespace(SWITCH), 'link', 'set', 'switch', 'up')
    for (const name of machines) ip('netns', 'add', this.namespace(name))
    for (const name of this.#names) this.#plugIn(name)
    for (const from of this.#names)
      for (const to of this.#names) if (from !== to) this.#setWay(from, to, this.#hardwareAddress(to))
  }

  #plugIn(name: string): void {
    const link = this.#link(name)
    const port = `port${this.#indexOf(name)}`
    const where = name === HERE ? [] : ['netns', this.namespace(name)]
    const switchSpace = this.namespace(SWITCH)
    ip(
      'link',
      'add',
      link,
      ...where,
      'address',
      this.#hardwareAddress(name),
      'type',
      'veth',
      'peer',
      'name',
      port,
      'netns',
      switchSpace,
    )
    inside(switchSpace, 'link', 'set', port, 'master', 'switch', 'up')
    this.#at(name, 'address', 'add', `${this.address(name)}/24`, 'dev', link)
    this.#at(name, 'link', 'set', link, 'up')
    if (name !== HERE) this.#at(name, 'link', 'set', 'lo', 'up')
  }

  #setWay(from: string, to: string, hardwareAddress: string): void {
    this.#at(
      from,
      'neigh',
      'replace',
      this.address(to),
      'lladdr',
      hardwareAddress,
      'dev',
      this.#link(from),
      'nud',
      'permanent',
    )
  }

  #at(name: string, ...args: readonly string[]): void {
    if (name === HERE) ip(...args)
    else inside(this.namespace(name), ...args)
  }

  /** Names of links have 15 characters at most; those inside need not be told apart. */
  #link(name: string): string {
    return name === HERE ? `tmq${process.pid}` : 'eth0'
  }

  #hardwareAddress(name: string): string {
    return `02:00:00:00:00:${(FIRST_HOST + this.#indexOf(name)).toString(16).padStart(2, '0')}`
  }

  #indexOf(name: string): number {
    const index = this.#names.indexOf(name)
    if (index === -1) throw new Error(`there is no machine ${name}`)
    return index
  }
}

/** Removes what this process has made, with the services in it. */
export function removeOwnNetwork(): void {
  for (const name of namespaces(process.pid)) removeNamespace(name)
}

/** Whatever runs in it is ended: it is of a run that has no other way to end it. */
function removeNamespace(name: string): void {
  for (const pid of ip('netns', 'pids', name).split(/\s+/)) {
    if (pid !== '') endProcess(Number(pid))
  }
  ip('netns', 'del', name)
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Those of a run, by its process id; of all runs whose process is no more, without one. */
function namespaces(run?: number): readonly string[] {
  let all: readonly string[]
  try {
    all = readdirSync('/run/netns')
  } catch {
    return []
  }
  return all.filter((name) => {
    const [, pid] = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name) ?? []
    if (pid === undefined) return false
    return run === undefined ? !isAlive(Number(pid)) : Number(pid) === run
  })
}

/** Of runs that were killed. */
function removeLeftovers(): void {
  for (const name of namespaces()) removeNamespace(name)
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}

/** The third byte of a subnet that no link of this machine is in; which one is tried first depends on the process. */
function freeSubnet(): number {
  const routes = ip('-4', 'route', 'show')
  for (let attempt = 0; attempt < 256; attempt += 1) {
    const subnet = (process.pid + attempt) % 256
    if (!routes.includes(`${SUBNETS}.${subnet}.0/24`)) return subnet
  }
  throw new Error(`no subnet of ${SUBNETS}.0.0/16 is free`)
}

function inside(namespace: string, ...args: readonly string[]): void {
  ip('-n', namespace, ...args)
}

function ip(...args: readonly string[]): string {
  try {
    return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (failure) {
    const said = failure instanceof Error && 'stderr' in failure ? String(failure.stderr).trim() : ''
    throw new Error(`ip ${args.join(' ')}: ${said === '' ? String(failure) : said}`, { cause: failure })
  }
}
