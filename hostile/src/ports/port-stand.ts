import { setTimeout as pause } from 'node:timers/promises'
import { Clients, LocalCluster, until, Workload } from '@tandemmq/interop'
import type { PortAttack } from './port-attack.ts'
import { Victim } from './victim.ts'

export type PortKind = 'grpc' | 'ha' | 'http'

/** What an honest client must get done beside each attack. */
const HONEST_MESSAGES = 20
const GROWTH_MAX_MB = 64
/** An attack may be told in so many lines, whatever its size. */
const LINES_MAX = 30
/** Connections that come and go by themselves, between services and of the honest client. */
const SPARE_DESCRIPTORS = 6

type Measures = Pick<PortAttack, 'tells' | 'growthMaxMB'>

/** A cluster with an honest client, and what it costs when somebody else attacks a port. */
export class PortStand implements AsyncDisposable {
  readonly cluster: LocalCluster
  readonly clients: Clients
  readonly work: Workload
  readonly #sending: Promise<void>

  private constructor(cluster: LocalCluster, clients: Clients, work: Workload, sending: Promise<void>) {
    this.cluster = cluster
    this.clients = clients
    this.work = work
    this.#sending = sending
  }

  static async start(flags: readonly string[] = []): Promise<PortStand> {
    const cluster = await LocalCluster.start(flags)
    const clients = new Clients(cluster)
    const work = new Workload('Honest')
    const sending = work.keepSending(await clients.producer('Honest'))
    void work.keepConsumingAnyway(await clients.simple('honest', 'Honest'))
    const stand = new PortStand(cluster, clients, work, sending)
    await stand.honestGoesOn()
    // A service loads what answers HTTP with the first request: that is no attacker's doing.
    for (const service of Object.keys(cluster.ready.services)) {
      const address = stand.address(service, 'http')
      if (address !== undefined) await fetch(`http://${address}/healthz`)
    }
    return stand
  }

  /** `host:port`; undefined: the service has no such port. */
  address(service: string, kind: PortKind): string | undefined {
    const line = this.cluster.ready.services[service]
    if (service === 'metadata-rpc' && kind === 'grpc') return this.cluster.ready.grpc
    if (service === 'metadata-rpc' && kind === 'http') return this.cluster.ready.http.replace('http://', '')
    const address = line && Object.entries(line).find(([name]) => name === kind)?.[1]
    return address?.replace('http://', '')
  }

  /** Attacks a port and says what it cost; throws when it cost too much, or nobody was told, or the honest client suffered. */
  async attack(service: string, kind: PortKind, attack: PortAttack): Promise<string> {
    const address = this.address(service, kind)
    if (address === undefined) throw new Error(`${service} has no ${kind} port`)
    return this.measured(service, attack, () => attack.run(address))
  }

  async measured(
    service: string,
    { tells, growthMaxMB = GROWTH_MAX_MB }: Measures,
    run: () => Promise<string>,
  ): Promise<string> {
    const victim = new Victim(this.cluster.pid(service))
    const descriptors = victim.descriptors
    victim.forgetPeak()
    const before = victim.residentMB
    const from = this.cluster.log.length
    const cpu = victim.cpuSeconds
    const seen = await run()
    await this.honestGoesOn()
    const cpuSeconds = victim.cpuSeconds - cpu
    if (tells !== undefined) await this.cluster.lines.line([service, tells], from)
    await until(`the descriptors of ${service} to be closed: ${descriptors} before`, () => {
      return victim.descriptors <= descriptors + SPARE_DESCRIPTORS
    })
    const { peakMB } = victim
    const ofService = new RegExp(`^${service} *\\| `)
    const lines = this.cluster.log.slice(from).filter((line) => ofService.test(line))
    const facts = [
      seen,
      `peak ${before} → ${peakMB} MB`,
      `${cpuSeconds.toFixed(1)} s of processor`,
      `${lines.length} log lines`,
    ]
    const wrong = [
      peakMB - before > growthMaxMB && `its memory grew by ${peakMB - before} MB, ${growthMaxMB} are allowed`,
      lines.length > LINES_MAX && `${lines.length} log lines, for instance: ${lines[10]}`,
      ...lines.filter((line) => /error|fault in the program/.test(line)),
    ].filter((it) => it !== false)
    if (wrong.length > 0) throw new Error([...wrong.slice(0, 3), ...facts].join('; '))
    return facts.join('; ')
  }

  /** The honest client sends and receives, and nothing has failed since the beginning. */
  async honestGoesOn(): Promise<void> {
    const { consumed } = this.work
    await this.work.reached(() => this.work.consumed >= consumed + HONEST_MESSAGES)
    const { sendFailures, consumerFailures } = this.work
    const [failure] = [...sendFailures, ...consumerFailures]
    if (failure !== undefined) throw new Error(`the honest client was refused: ${failure.message}`)
  }

  /** Ends the honest client; throws unless every acknowledged message arrived, once. */
  async reckon(): Promise<string> {
    this.work.stopSending()
    await this.#sending
    await this.work.reached(() => this.work.ledger.isComplete && this.work.consumed >= this.work.accepted)
    this.work.stopConsuming()
    const { sent, lost, unknown, duplicatedAfterAck, longestPauseMs } = this.work.ledger.totals()
    const facts = `${sent} messages, ${lost} lost, longest pause ${longestPauseMs} ms`
    if (lost > 0 || unknown > 0 || duplicatedAfterAck > 0) {
      throw new Error(`${facts}, ${unknown} refused, ${duplicatedAfterAck} again after their acknowledgement`)
    }
    return facts
  }

  /** Processor time of a service without any client, as a share of one core. */
  async idleShare(service: string, forMs: number): Promise<number> {
    const victim = new Victim(this.cluster.pid(service))
    const from = victim.cpuSeconds
    await pause(forMs)
    return (victim.cpuSeconds - from) / (forMs / 1_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.work.stopSending()
    this.work.stopConsuming()
    await this.#sending
    await this.clients[Symbol.asyncDispose]()
    await this.cluster.stop()
  }
}
