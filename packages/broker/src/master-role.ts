import { mayPass, messageOf, type Timer } from '@tandemmq/base'
import { lastEpoch, type Hello, type LogRange } from '@tandemmq/codec'
import { HaMaster, type ReplicaStatus, type SlaveView, type Tail } from '@tandemmq/ha-protocol'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts, MasterOptions } from './broker-options.ts'
import { DoubtfulEnd } from './doubtful-end.ts'
import { Durability, type Confirmation } from './durability.ts'
import { waitsForReplicas } from './durability-mode.ts'
import { haMember } from './ha-member-of-broker.ts'
import type { ReplicatedStore } from './replicated-store.ts'
import { judgeTail, missingAt, type TailVerdict } from './tail-evidence.ts'
import type { VisiblePosition } from './visible-position.ts'
import { Writability } from './writability.ts'

/** How long a master that stops waits for the sends that are under way, ms. */
const DRAIN_MS = 500
/** Answers to sends leave so much before their deadline, ms; see {@link Durability.confirmed}. */
const ANSWER_MARGIN_MS = 300
/** When the disk had no room to open an epoch, ms. */
const RETRY_MS = 1_000
/** How long a master in asynchronous mode waits for a replica that may know more, ms (rule 3.2). */
const CONTACT_MS = 5_000

/**
 * What a broker does as master: opens an epoch of the log, serves it to slaves, and says when a send is safe.
 *
 * Before the first append three things must be known: that this log may go on (its ancestry is there, or may be created: rule 1.6), that
 * no tail of it is missing (rule 3.1), and that the registry knows of no newer epoch (rule 3.5). Until then it answers `NOT_WRITABLE` with the
 * reason.
 */
export class MasterRole implements AsyncDisposable {
  readonly kind = 'master'
  readonly durability: Durability
  readonly writability = new Writability()
  readonly #options: BrokerOptions
  readonly #ports: BrokerPorts
  readonly #store: MessageStore
  readonly #log: ReplicatedStore
  readonly #ha: HaMaster
  /** Whether the log may lack its tail (rule 3.2). */
  #verdict: TailVerdict = { kind: 'complete' }
  /** Epochs that were opened and given up again for an older tail, and an appointment's: the next one goes above. */
  #atLeast = 1
  readonly #doubtfulEnd: DoubtfulEnd
  /** Replicas that introduced themselves since the start, by identity. */
  readonly #heard = new Map<string, Hello>()
  #opening: Promise<void> | undefined
  readonly #epochListeners: (() => void)[] = []
  #isEpochOpen = false
  #patience: Timer | undefined
  #retry: Timer | undefined
  /** The newest epoch of this log, as the registry said last; `undefined`: it has not answered since the start. */
  #highestHeard: number | undefined
  readonly #hasRegistry: boolean
  #isDeposed = false
  #steppedDown: number | undefined
  /** A slave has promised to take no serving token, by the number of the question. */
  onAbstained: (identity: string, question: number) => void = () => undefined

  private constructor(
    options: BrokerOptions,
    ports: BrokerPorts,
    store: MessageStore,
    log: ReplicatedStore,
    ha: HaMaster,
  ) {
    this.#options = options
    this.#ports = ports
    this.#store = store
    this.#log = log
    this.#ha = ha
    this.#hasRegistry = ports.registry !== undefined
    this.#doubtfulEnd = new DoubtfulEnd(store, log, ports.logger)
    this.#atLeast = options.appointment?.epoch ?? 1
    this.durability = new Durability(
      {
        mode: options.mode,
        flushTimeoutMs: options.flushTimeoutMs,
        replicaTimeoutMs: options.slaveTimeoutMs,
      },
      {
        flush: (upTo) => store.flush(upTo),
        replicated: ha.replicated,
        knownReplicas: () => ha.knownReplicas(),
      },
      ports.clock,
    )
    if (ports.registry !== undefined) {
      this.writability.refuse(
        'registry',
        'the registry has not answered yet: it may know of a newer epoch of this log',
      )
    }
  }

  /**
   * Listens for slaves. Resolves before the log is writable where something has to be waited for.
   */
  static async open(
    options: BrokerOptions,
    master: MasterOptions,
    ports: BrokerPorts,
    store: MessageStore,
    log: ReplicatedStore,
    instanceId: string,
  ): Promise<MasterRole> {
    let role: MasterRole | undefined
    const ha = await HaMaster.listen(
      {
        address: master.haListen,
        ...haMember(options, instanceId),
        flushRequired: options.mode.flush === 'sync' && waitsForReplicas(options.mode),
        inSyncReplicas: waitsForReplicas(options.mode) ? options.mode.inSyncReplicas : 1,
        slaveTimeoutMs: options.slaveTimeoutMs,
        acceptLoss: master.acceptLoss,
        legacySlaves: master.legacySlaves ?? 'none',
        ...(master.haBytesPerSecond === undefined
          ? {}
          : { writeLimits: { bytesPerSecond: master.haBytesPerSecond } }),
        ...(master.hold && { hold: { ...master.hold, roster: () => store.roster } }),
        onCounted: (identity) => store.addToRoster(identity),
        onHello: (hello) => role?.introduced(hello),
        tail: () => role?.tail() ?? { kind: 'unknown' },
        onBorrowing: async (from) => {
          await store.addToRoster(from)
          await store.suspectLoss()
        },
        onBorrowed: (from) => role?.borrowed(from),
        onAbstained: (identity, question) => role?.onAbstained(identity, question),
      },
      ports,
      log,
    )
    role = new MasterRole(options, ports, store, log, ha)
    role.#decide(master)
    await role.#opening
    return role
  }

  get haAddress(): { readonly host: string; readonly port: number } {
    return this.#ha.address
  }

  /** What replicas still need of the log; those that are away count only if `onlyConnected` is false. */
  heldFor(onlyConnected: boolean): { readonly from: number; readonly identity: string } | undefined {
    return this.#ha.heldFor(onlyConnected)
  }

  replicas(): readonly ReplicaStatus[] {
    return this.#ha.replicas()
  }

  /** Every slave that has proven who it is since the start, connected or not. */
  slaves(): readonly SlaveView[] {
    return this.#ha.slaves()
  }

  /** See {@link HaMaster.verify}. */
  verify(from?: number, to?: number): LogRange {
    return this.#ha.verify(from, to)
  }

  /** See {@link HaMaster.askToAbstain}; who promises is told to {@link onAbstained}. */
  askToAbstain(question: number): void {
    this.#ha.askToAbstain(question)
  }

  /** Whoever was ever counted, this broker left out (rule 3.3). */
  get roster(): readonly string[] {
    return this.#store.roster
  }

  /** Calls `listener` once, when an epoch has been opened; at once if it has been. */
  onEpoch(listener: () => void): void {
    if (this.#isEpochOpen) listener()
    else this.#epochListeners.push(listener)
  }

  /** Before an append: throws `NOT_WRITABLE` with the reason, or `IN_SYNC_REPLICAS_NOT_ENOUGH`. */
  admit(): void {
    this.writability.check()
    this.durability.admit()
  }

  /** After an append: see {@link Durability.confirmed}. */
  confirmed(end: number, deadline?: number): Promise<Confirmation> {
    return this.durability.confirmed(end, deadline)
  }

  /** How far this mode lets consumers read. */
  get visibleLimit(): number {
    const { mode } = this.#options
    const own = mode.flush === 'sync' ? this.#store.flushed.at : this.#store.end
    return waitsForReplicas(mode) ? Math.min(own, this.#ha.replicated.at) : own
  }

  /** Keeps `visible` up to date and tells slaves and disk about it; returns how to stop. */
  drive(visible: VisiblePosition): () => void {
    const refresh = (): void => visible.refresh()
    const stops = [
      this.#log.onAppend(refresh),
      this.#log.onFlush(refresh),
      this.#ha.replicated.onAdvance(refresh),
      visible.onAdvance((at) => {
        this.#ha.setConfirmed(at)
        this.#store.saveConfirmed(at)
      }),
    ]
    this.#ha.setConfirmed(visible.at)
    refresh()
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** The registry has said which epoch of this log is the newest (rule 3.5). */
  heardOfEpoch(highest: number): void {
    this.#highestHeard = highest
    const { master } = this.#options
    const isFetching = this.#verdict.kind === 'missing' // Judged when it has come.
    if (!this.#isEpochOpen && !isFetching && master !== undefined) this.#decide(master)
    const own = lastEpoch(this.#store.lineage)
    if (highest <= own || !this.#isEpochOpen) return this.writability.lift('registry')
    this.writability.refuse(
      'registry',
      `epoch ${highest} of this log has been opened elsewhere, this master is at ${own}: fenced`,
    )
  }

  /** The promotion by whose request this master takes no messages; `undefined`: none. */
  get steppedDown(): number | undefined {
    return this.#steppedDown
  }

  /** The registry asks this master to step down, or says that it may go on: nothing is appended in between (rule 3.5). */
  stepDown(promotion: number | undefined): void {
    this.#steppedDown = promotion
    if (promotion === undefined) return this.writability.lift('promotion')
    this.writability.refuse('promotion', 'another member of the set is being made its master')
  }

  /** Somebody else is the master now. For the rest of its life this role writes nothing and opens no epoch. */
  depose(successor: string): void {
    this.#isDeposed = true
    this.#patience?.cancel()
    this.writability.refuse(
      'appointment',
      `${successor} was made master of this set: this broker becomes its slave`,
    )
  }

  quit(): void {
    this.writability.refuse('stop', 'this master stops')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#patience?.cancel()
    this.#retry?.cancel()
    this.quit()
    await this.#drain()
    await this.#ha.close()
  }

  /** What was stored is answered as promised, as far as that takes no longer than a moment: after this nobody is. */
  async #drain(): Promise<void> {
    const { clock } = this.#ports
    const until = clock.monotonic() + DRAIN_MS + ANSWER_MARGIN_MS
    await Promise.resolve() // Messages of this turn are appended at its end.
    // How it ends is each send's own business.
    await Promise.allSettled([this.durability.confirmed(this.#store.end, until)])
  }

  /** A slave has proven who it is (rules 1.4, 1.6, 3.2). */
  introduced(hello: Hello): void {
    this.#heard.set(hello.identity, hello)
    const { master } = this.#options
    if (!this.#isEpochOpen && master !== undefined) this.#decide(master)
    else if (this.#isAhead(hello) && this.#hasUntouchedEpoch()) this.#missTail(hello)
  }

  #decide(master: MasterOptions): void {
    if (this.#opening !== undefined || this.#isDeposed) return
    const { roster, lineage, end, recovery } = this.#store
    const { mode, totalReplicas } = this.#options
    this.#verdict = judgeTail({
      roster,
      lineage,
      end,
      mode,
      totalReplicas,
      lossReason: recovery.lossPossible && !this.#isVouchedFor ? recovery.reason : undefined,
      heard: [...this.#heard.values()],
      createLog: master.createLog,
      acceptLoss: master.acceptLoss,
    })
    this.#refuseTail()
    if (this.#verdict.kind === 'complete') {
      if (this.#mayOpen) this.#opening = this.#openEpochOrSayWhy()
    } else if (lineage !== undefined && !waitsForReplicas(mode)) this.#goOnAlone()
  }

  /**
   * Whoever appointed this broker knew that what it then held was all that the log is to have (rule 3.5): while it certainly holds that much, older
   * doubts are settled. Once the appointment's epoch is open, new ones are judged as ever.
   */
  get #isVouchedFor(): boolean {
    const { recovery, lineage } = this.#store
    const { epoch = 0, end = 0 } = this.#options.appointment ?? {}
    return epoch > lastEpoch(lineage) && end > 0 && recovery.trustedEnd >= end
  }

  /** Whoever may have been made master meanwhile, the registry knows it: without its word no epoch is opened (rule 3.5). */
  get #mayOpen(): boolean {
    return !this.#isDeposed && (!this.#hasRegistry || this.#highestHeard !== undefined)
  }

  async #openEpochOrSayWhy(): Promise<void> {
    try {
      await this.#openEpoch()
    } catch (cause) {
      this.writability.refuse('log', `no epoch could be opened: ${messageOf(cause)}`)
      this.#ports.logger.error({ why: messageOf(cause) }, 'no epoch could be opened')
      if (mayPass(cause)) this.#tryAgain()
    }
  }

  /** A full disk may have room again. */
  #tryAgain(): void {
    this.#retry = this.#ports.clock.after(RETRY_MS, () => {
      this.#opening = this.#openEpochOrSayWhy()
    })
  }

  /** Asynchronous mode promises nothing about the loss of a machine: after a while without contact it goes on. */
  #goOnAlone(): void {
    if (this.#heard.size > 0 || this.#patience !== undefined) return
    this.#patience = this.#ports.clock.after(CONTACT_MS, () => {
      if (this.#heard.size > 0 || this.#opening !== undefined || this.#isDeposed) return
      if (!this.#mayOpen) {
        this.#patience = undefined
        return this.#goOnAlone()
      }
      this.#ports.logger.warn({}, 'no replica in contact: going on with the log as it is')
      this.#opening = this.#openEpochOrSayWhy()
    })
  }

  async #openEpoch(): Promise<void> {
    if (this.#store.lineage === undefined) await this.#store.createLineage()
    const epoch = await this.#store.openEpoch(this.#atLeast)
    this.#verdict = { kind: 'complete' }
    this.#atLeast = epoch.epoch + 1
    this.#isEpochOpen = true
    this.#ports.logger.info({ epoch: epoch.epoch, offset: epoch.start }, 'epoch opened')
    if (this.#highestHeard !== undefined) this.heardOfEpoch(this.#highestHeard)
    this.writability.lift('log')
    for (const listener of this.#epochListeners.splice(0)) listener()
  }

  /** What the HA port is to do about a tail that may be missing. Before any is fetched, what is in doubt of our own end goes. */
  tail(): Tail {
    const { kind } = this.#verdict
    if (kind === 'complete' && !this.#isEpochOpen) return { kind: 'unknown' }
    if (kind !== 'missing') return { kind }
    if (this.#doubtfulEnd.isGone) return { kind, holder: this.#verdict.holder }
    void this.#doubtfulEnd.cut()
    return { kind: 'unknown' }
  }

  #isAhead(hello: Hello): boolean {
    return hello.lineage?.logId === this.#store.lineage?.logId && hello.end > this.#store.end
  }

  #hasUntouchedEpoch(): boolean {
    const epoch = this.#store.lineage?.epochs.at(-1)
    return epoch !== undefined && epoch.start === this.#store.end
  }

  /** Rule 1.4: a longer log of ours, before the first append of this epoch: it goes on with those bytes instead. */
  #missTail(hello: Hello): void {
    if (this.#options.master?.acceptLoss === true) return
    this.#isEpochOpen = false
    this.#verdict = missingAt(hello, this.#store.end)
    this.#refuseTail()
  }

  #refuseTail(): void {
    const verdict = this.#verdict
    if (verdict.kind !== 'complete') return this.writability.refuse('log', verdict.words)
    if (this.#isEpochOpen) return this.writability.lift('log')
    this.writability.refuse('log', 'no epoch of the log is open yet')
  }

  /** What the log lacked has come, and is on disk. */
  borrowed(from: string): void {
    if (this.#verdict.kind !== 'missing') return
    this.#ports.logger.info({ from, end: this.#store.end }, 'the log has what it lacked')
    this.#patience?.cancel()
    this.#verdict = { kind: 'complete' }
    this.#opening = this.#mayOpen ? this.#openEpochOrSayWhy() : undefined
  }
}
