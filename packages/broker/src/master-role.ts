import { BrokerError, SparingLogger } from '@tandemmq/base'
import type { LogRange } from '@tandemmq/codec'
import { HaMaster, memberOf, type ReplicaStatus, type SlaveView } from '@tandemmq/ha-protocol'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts, MasterOptions } from './broker-options.ts'
import { Durability, type Confirmation } from './durability.ts'
import { leastInSync, okMeans, waitsForReplicas } from './durability-mode.ts'
import { EpochOpening } from './epoch-opening.ts'
import type { ReplicatedStore } from './replicated-store.ts'
import { isLossAccepted } from './tail-evidence.ts'
import type { VisiblePosition } from './visible-position.ts'
import { Writability } from './writability.ts'

/** How long a master that stops waits for the sends that are under way, ms. */
const DRAIN_MS = 500
/** Answers to sends leave so much before their deadline, ms; see {@link Durability.confirmed}. */
const ANSWER_MARGIN_MS = 300

/**
 * What a broker does as master: serves its log to slaves once an {@link EpochOpening | epoch} of it is open, and says when a send is safe.
 * Until then it answers `NOT_WRITABLE` with the reason.
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
  readonly #opening: EpochOpening
  #steppedDown: number | undefined
  /** A slave has promised to take no serving token, by the number of the question. */
  onAbstained: (identity: string, question: number) => void = () => undefined

  private constructor(
    options: BrokerOptions,
    master: MasterOptions,
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
    const sparingly = new SparingLogger(ports.logger, ports.clock)
    this.#opening = new EpochOpening(options, master, { ...ports, store, log, writability: this.writability })
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
        refusing: (why) => {
          if (why === undefined) sparingly.info({}, 'messages are taken again')
          else sparingly.warn({ why }, 'messages are refused')
        },
      },
      ports.clock,
    )
  }

  /**
   * Listens for slaves. Resolves before the log is writable where something has to be waited for.
   */
  static async open(
    options: BrokerOptions,
    configured: MasterOptions,
    ports: BrokerPorts,
    store: MessageStore,
    log: ReplicatedStore,
    instanceId: string,
  ): Promise<MasterRole> {
    const acceptLoss = isLossAccepted(configured, options.appointment, store.lineage)
    const master = { ...configured, acceptLoss }
    let role: MasterRole | undefined
    const opening = (): EpochOpening | undefined => role && role.#opening
    const ha = await HaMaster.listen(
      {
        address: master.haListen,
        ...memberOf({ ...options, instanceId }),
        flushRequired: options.mode.flush === 'sync' && waitsForReplicas(options.mode),
        inSyncReplicas: waitsForReplicas(options.mode) ? options.mode.inSyncReplicas : 1,
        ...(waitsForReplicas(options.mode) && {
          leastInSyncReplicas: leastInSync(options.mode),
          onRequired: (required: number) => {
            const level = required < options.mode.inSyncReplicas ? 'warn' : 'info'
            ports.logger[level]({ okMeans: okMeans(options.mode, required) }, 'what OK means has changed')
          },
        }),
        ...(master.haMaxGapNotInSync !== undefined && { haMaxGapNotInSync: master.haMaxGapNotInSync }),
        slaveTimeoutMs: options.slaveTimeoutMs,
        acceptLoss: master.acceptLoss,
        legacySlaves: master.legacySlaves ?? 'none',
        ...(master.haBytesPerSecond === undefined
          ? {}
          : { writeLimits: { bytesPerSecond: master.haBytesPerSecond } }),
        roster: () => store.roster,
        forgotten: () => store.forgotten,
        ...(master.hold && { hold: master.hold }),
        onCounted: (identity) => store.addToRoster(identity),
        onHello: (hello) => opening()?.introduced(hello),
        tail: () => opening()?.tail() ?? { kind: 'unknown' },
        onBorrowing: async (from) => {
          await store.addToRoster(from)
          await store.suspectLoss()
        },
        onBorrowed: (from) => opening()?.borrowed(from),
        onAbstained: (identity, question) => role?.onAbstained(identity, question),
      },
      ports,
      log,
    )
    role = new MasterRole(options, master, ports, store, log, ha)
    await role.#opening.begin()
    return role
  }

  /** How many identities must hold a message before OK now, this broker included; 1: nobody is waited for. */
  get requiredReplicas(): number {
    return this.#ha.requiredReplicas
  }

  /** What OK means now, in words. */
  get okMeans(): string {
    return okMeans(this.#options.mode, this.requiredReplicas)
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

  /**
   * The operator's word that a replica is gone for good (rule 3.3): its answer is not waited for any more, nor the log kept for it. Rejects with
   * `ILLEGAL_ARGUMENT` if it is connected or not known.
   */
  async forget(identity: string): Promise<void> {
    const { roster } = this.#store
    if (!roster.includes(identity) && !this.#ha.slaves().some((slave) => slave.identity === identity)) {
      const known = roster.join(', ') || 'nobody is'
      throw new BrokerError('ILLEGAL_ARGUMENT', `${identity} is not in the roster: ${known}`)
    }
    if (this.#opening.isAsking(identity)) {
      const words = `${identity} is here: this master, which opens no epoch yet, has heard it since its start`
      throw new BrokerError('ILLEGAL_ARGUMENT', words)
    }
    this.#ha.forget(identity)
    await this.#store.removeFromRoster(identity)
    this.#ha.rosterChanged()
    this.#ports.logger.warn(
      { identity, roster: this.roster.join(', ') },
      'a replica is forgotten by the word of the operator',
    )
    this.#opening.rosterChanged()
  }

  /** See {@link EpochOpening.onOpened}. */
  onEpoch(listener: () => void): void {
    this.#opening.onOpened(listener)
  }

  /** See {@link EpochOpening.heardOfEpoch}. */
  heardOfEpoch(highest: number): void {
    this.#opening.heardOfEpoch(highest)
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

  /** The promotion by whose request this master takes no messages; `undefined`: none. */
  get steppedDown(): number | undefined {
    return this.#steppedDown
  }

  /** The registry asks this master to step down, or says that it may go on: nothing is appended in between (rule 3.5). */
  stepDown(promotion: number | undefined): void {
    this.#steppedDown = promotion
    if (promotion === undefined) return this.writability.lift('promotion')
    this.writability.refuse(
      'promotion',
      'another member of the set is being made its master: if that has failed, an operator has to ask for it again',
    )
  }

  /** Somebody else is the master now. For the rest of its life this role writes nothing and opens no epoch. */
  depose(successor: string): void {
    this.#opening.stop()
    this.writability.refuse(
      'appointment',
      `${successor} was made master of this set: this broker becomes its slave`,
    )
  }

  quit(): void {
    this.writability.refuse('stop', 'this master stops')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#opening.stop()
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
}
