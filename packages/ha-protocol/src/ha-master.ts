import { BrokerError, SparingLogger } from '@tandemmq/base'
import type { Address, Clock, Frontier, LogOffset } from '@tandemmq/base'
import type { Hello, LogRange } from '@tandemmq/codec'
import { HaListener } from './ha-listener.ts'
import { memberOf } from './ha-member.ts'
import type { HaMember } from './ha-member.ts'
import { masterMetrics, observeReplicas } from './ha-metrics.ts'
import type { HaPorts } from './ha-ports.ts'
import { apacheTimings, defaultTimings } from './ha-timings.ts'
import type { HaTimings } from './ha-timings.ts'
import type { MasterConfig } from './master-state.ts'
import type { KnownLimits, Replica, ReplicaStatus } from './replica.ts'
import { RetentionHold } from './retention-hold.ts'
import type { HeldFor, HoldLimits } from './retention-hold.ts'
import { ReplicaTable } from './replica-table.ts'
import { RequiredReplicas } from './required-replicas.ts'
import { SlaveRecords } from './slave-records.ts'
import type { SlaveView } from './slave-view.ts'
import { viewOfSlave } from './slave-view.ts'
import { defaultVerifierLimits } from './range-verifier.ts'
import type { VerifierLimits } from './range-verifier.ts'
import { WriteTimes } from './write-times.ts'
import { viewOf } from './replicated-log.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import { defaultWriteLimits } from './write-side.ts'
import type { Tail } from './tail.ts'
import type { WriteLimits } from './write-side.ts'

export interface HaMasterOptions extends HaMember {
  readonly address: Address
  /** SYNC_FLUSH: slaves report what is on disk. */
  readonly flushRequired: boolean
  /** Identities, this master included, that must hold a record before {@link HaMaster.replicated} passes it (≥ 1). */
  readonly inSyncReplicas: number
  /** With fewer known, so many do as are known, but no fewer than these (`enableAutoInSyncReplicas`, `minInSyncReplicas`). Default: {@link inSyncReplicas}, none fewer do. */
  readonly leastInSyncReplicas?: number
  /** Fewer are required than before, or more again. */
  readonly onRequired?: (required: number) => void
  /** `haMaxGapNotInSync`, default 256 MiB. */
  readonly haMaxGapNotInSync?: number
  /** `slaveTimeout`, default 3000 ms. */
  readonly slaveTimeoutMs?: number
  /** Called before an identity is counted for the first time in this process; counted once it resolves (rule 3.3). */
  readonly onCounted?: (identity: string) => Promise<void>
  /** A slave has proven who it is; called for every such hello, whatever the answer will be (rules 1.4, 1.6, 3.2). */
  readonly onHello?: (hello: Hello) => void
  /** Whether this log may lack its tail, and who is to send it (rule 3.2); asked at every hello. Default: it is complete. */
  readonly tail?: () => Tail
  /** Before the first byte of it is appended: an end that comes in the middle must be seen as one by the next start. */
  readonly onBorrowing?: (from: string) => Promise<void>
  /** What was missing has come from this identity and is on disk. */
  readonly onBorrowed?: (from: string) => void
  /** A slave has promised what {@link HaMaster.askToAbstain} asks for. */
  readonly onAbstained?: (identity: string, question: number) => void
  /** The operator has accepted a loss (rule 3.4): a longer slave is cut even before this master's first append. */
  readonly acceptLoss?: boolean
  /** Serve slaves that say no hello; `counted`: their reports complete sends, unless these wait for the slaves' disks. Default `none`. */
  readonly legacySlaves?: 'none' | 'served' | 'counted'
  /** Whoever was ever counted (rule 3.3): slaves are told, and the log is kept for them. Default: nobody. */
  readonly roster?: () => readonly string[]
  /** Who, by the word of the operator, is gone for good: slaves are told. Default: nobody. */
  readonly forgotten?: () => readonly string[]
  /** How long and how much of the log is kept for slaves. Default: nothing is. */
  readonly hold?: HoldLimits
  readonly timings?: Partial<HaTimings>
  readonly writeLimits?: Partial<WriteLimits>
  readonly verifierLimits?: Partial<VerifierLimits>
}

const GAP_BYTES_MAX = 256 * 1024 * 1024
const SLAVE_TIMEOUT_MS = 3_000

/** The master's side of replication: an HA port, its slaves, and how far they have got together. */
export class HaMaster {
  readonly #clock: Clock
  readonly #table: ReplicaTable
  readonly #required: RequiredReplicas
  readonly #records = new SlaveRecords((replica) => this.#table.isSeated(replica))
  readonly #log: ReplicatedLog
  readonly #times: WriteTimes
  /** What the log ended at when it was looked at last. */
  #timedEnd: LogOffset
  readonly #known: KnownLimits
  readonly #enrolled = new Map<string, Promise<void>>()
  readonly #onCounted: (identity: string) => Promise<void>
  #listener: HaListener | undefined
  readonly #hold: RetentionHold | undefined
  #confirmed: LogOffset | undefined
  #unsubscribe: (() => void) | undefined
  #isClosed = false

  private constructor(options: HaMasterOptions, ports: HaPorts, log: ReplicatedLog) {
    this.#clock = ports.clock
    this.#log = log
    this.#timedEnd = log.end
    this.#times = new WriteTimes(log.end, ports.clock.monotonic())
    const { inSyncReplicas: wanted, leastInSyncReplicas: least = wanted } = options
    this.#required = new RequiredReplicas(wanted, least, (required) => options.onRequired?.(required))
    const needed = (): number => (this.#isClosed ? wanted : this.#required.among(() => this.knownReplicas()))
    const { hold, roster = () => [] } = options
    this.#table = new ReplicaTable(needed, () => log.end, wanted === 1, roster)
    this.#onCounted = options.onCounted ?? (() => Promise.resolve())
    this.#known = {
      silenceMs: options.timings?.silenceMs ?? defaultTimings.silenceMs,
      gapBytesMax: options.haMaxGapNotInSync ?? GAP_BYTES_MAX,
      slaveTimeoutMs: options.slaveTimeoutMs ?? SLAVE_TIMEOUT_MS,
    }
    if (hold === undefined) return
    const { clock, logger, meter } = ports
    const connected = () => this.#table.replicas
    const monotonic = () => clock.monotonic()
    this.#hold = new RetentionHold(hold, { connected, roster, log, monotonic }, logger, meter)
  }

  /** Rejects with the system's error if the address cannot be had. */
  static async listen(options: HaMasterOptions, ports: HaPorts, log: ReplicatedLog): Promise<HaMaster> {
    const master = new HaMaster(options, ports, log)
    const config: MasterConfig = {
      ...memberOf(options),
      flushRequired: options.flushRequired,
      acceptLoss: options.acceptLoss ?? false,
      legacySlaves: options.legacySlaves ?? 'none',
      timings: { ...defaultTimings, ...options.timings },
      legacyTimings: apacheTimings,
    }
    const listener = await HaListener.open(ports.net, options.address, {
      context: { config, view: () => viewOf(log), tail: options.tail ?? (() => ({ kind: 'complete' })) },
      log,
      clock: ports.clock,
      random: ports.random,
      logger: ports.logger,
      sparingly: new SparingLogger(ports.logger, ports.clock),
      metrics: masterMetrics(ports.meter),
      table: master.#table,
      records: master.#records,
      limits: { ...defaultWriteLimits, ...options.writeLimits },
      verifierLimits: { ...defaultVerifierLimits, ...options.verifierLimits },
      enroll: (identity) => master.#enroll(identity),
      holders: () => [options.identity, ...(options.roster?.() ?? [])],
      forgotten: () => (options.forgotten?.() ?? []).filter((name) => name !== options.identity),
      introduced: (hello) => options.onHello?.(hello),
      borrowing: (from) => options.onBorrowing?.(from) ?? Promise.resolve(),
      borrowed: (from) => options.onBorrowed?.(from),
      abstained: (identity, question) => options.onAbstained?.(identity, question),
      confirmed: () => master.#confirmed,
    })
    master.#listener = listener
    master.#unsubscribe = log.onAppend(() => master.#onAppend(listener))
    observeReplicas(ports.meter, master)
    master.#table.progress()
    return master
  }

  get address(): Address {
    return this.#listener?.address ?? { host: '', port: 0 }
  }

  /** The n-th best identity's position, the master's own included; with `inSyncReplicas` 1 the own end. */
  get replicated(): Frontier {
    return this.#table.replicated
  }

  /** Identities that a send may count on, the master included (rule 2.8). */
  knownReplicas(): number {
    return this.#table.known(this.#clock.monotonic(), this.#known)
  }

  /** How many identities must hold a record now, the master included; {@link HaMasterOptions.inSyncReplicas}, or fewer. */
  get requiredReplicas(): number {
    return this.#required.now
  }

  /** As {@link Frontier.reached} of {@link replicated}. */
  waitFor(end: LogOffset, signal?: AbortSignal): Promise<void> {
    return this.replicated.reached(end, signal)
  }

  replicas(): readonly ReplicaStatus[] {
    return this.#table.status(this.#clock.monotonic(), this.#known)
  }

  /** Every slave that has proven who it is since this master started, connected or not. */
  slaves(): readonly SlaveView[] {
    const around = {
      end: this.#log.end,
      now: this.#clock.monotonic(),
      limits: this.#known,
      times: this.#times,
      isSeated: (replica: Replica) => this.#table.isSeated(replica),
    }
    return this.#records.all.map((record) => viewOfSlave(record, around))
  }

  /** For whom the log must be kept, and from where on; see {@link RetentionHold.heldFor}. */
  heldFor(onlyConnected: boolean): HeldFor | undefined {
    return this.#hold?.heldFor(onlyConnected)
  }

  /**
   * Compares a range of every slave's log with ours, at once and as fast as they answer; what is not confirmed is left out. How it went:
   * {@link slaves}. A slave that is away is compared when it is back. Returns the range.
   */
  verify(from: LogOffset = 0, to: LogOffset = Number.MAX_SAFE_INTEGER): LogRange {
    const end = Math.min(to, this.#confirmed ?? 0, this.#log.end)
    const range = { from: Math.min(Math.max(from, this.#log.minOffset), end), to: end }
    for (const { verification } of this.#records.all) verification.begin(range)
    for (const connection of this.#listener?.connections ?? []) connection.verify()
    return range
  }

  /** Tells slaves up to where consumers may read. Positions below an earlier one are ignored. */
  setConfirmed(position: LogOffset): void {
    if (this.#confirmed !== undefined && position <= this.#confirmed) return
    this.#confirmed = position
    for (const connection of this.#listener?.connections ?? []) connection.confirm(position)
  }

  /** Asks every connected slave to promise that it takes no serving token for one lease from now (rule 4.6). `question`: u32. */
  askToAbstain(question: number): void {
    for (const connection of this.#listener?.connections ?? []) connection.askToAbstain(question)
  }

  /**
   * An identity is gone for good (rule 3.3): it is no longer shown, and enrolled anew should it come again. Throws `ILLEGAL_ARGUMENT` while it is
   * connected.
   */
  forget(identity: string): void {
    const holder = this.#table.holderOf(identity)
    if (holder !== undefined) {
      throw new BrokerError(
        'ILLEGAL_ARGUMENT',
        `${identity} is connected from ${holder.remote}: stop it first`,
      )
    }
    this.#enrolled.delete(identity)
    this.#records.forget(identity)
  }

  /** Tells connected slaves; those that are away are told when they come. */
  rosterChanged(): void {
    for (const connection of this.#listener?.connections ?? []) connection.tellRoster()
  }

  /** Ends all connections; whoever waits is told `UNAVAILABLE`. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#unsubscribe?.()
    this.replicated.fail(new BrokerError('UNAVAILABLE', 'the master stops'))
    await this.#listener?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #onAppend(listener: HaListener): void {
    if (this.#log.end > this.#timedEnd) this.#times.wrote(this.#timedEnd, this.#clock.monotonic())
    this.#timedEnd = this.#log.end
    this.#table.progress()
    for (const connection of listener.connections) connection.wake()
  }

  /** Once per identity and process; asked again after a failure. */
  #enroll(identity: string): Promise<void> {
    const known = this.#enrolled.get(identity)
    if (known !== undefined) return known
    const asked = this.#onCounted(identity)
    this.#enrolled.set(identity, asked)
    asked.then(
      () => this.rosterChanged(),
      () => this.#enrolled.delete(identity),
    )
    return asked
  }
}
