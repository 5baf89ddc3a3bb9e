import { BrokerError, type Counter, type LogOffset } from '@tandemmq/base'
import { Messaging } from '@tandemmq/messaging'
import type { LogClaim, MetadataStore, Snapshot, Watchers } from '@tandemmq/metadata'
import { Registration, type Appointment, type MemberDetails, type RegistryAnswer } from '@tandemmq/registry'
import type { MessageStore, Retention } from '@tandemmq/storage'
import { brokerHandBack, considerHandBack } from './broker-hand-back.ts'
import { detailsOf, haAddressOf, problemsOf, selfReport, type SelfView } from './broker-description.ts'
import { brokerSuccession } from './broker-succession.ts'
import { observeBroker } from './broker-metrics.ts'
import { brokerReadiness, type BrokerReadiness } from './broker-readiness.ts'
import type { BrokerOptions, BrokerPorts } from './broker-options.ts'
import { okMeans } from './durability-mode.ts'
import type { HandBack } from './hand-back.ts'
import { handleKeyOf } from './handle-key.ts'
import { extendLease } from './extended-lease.ts'
import { refusalOfClaim, refusalOfServing } from './log-claim.ts'
import type { MasterRole } from './master-role.ts'
import { openStores } from './open-stores.ts'
import { openRole } from './open-role.ts'
import { refuseWriting } from './writability.ts'
import { cutProgress } from './progress-cut.ts'
import { startRetention } from './log-retention.ts'
import { ReplicatedStore } from './replicated-store.ts'
import type { Role } from './role.ts'
import { servingToken, type ServingKnowledge } from './serving-token.ts'
import type { Succession } from './succession.ts'
import { TokenPromise } from './token-promise.ts'
import { TopicsAndGroups } from './topics-and-groups.ts'
import { VisiblePosition } from './visible-position.ts'
import { watchingSlaves, witnessesOf } from './watching-slaves.ts'

/** One broker: a store, its replication, its metadata, and what clients ask of it. Master and slave differ in their role only. */
export class Broker implements AsyncDisposable {
  readonly store: MessageStore
  readonly metadata: MetadataStore
  readonly api: Messaging
  readonly visible: VisiblePosition
  /** Topics and groups, and which of them come to be at first use. */
  readonly catalog: TopicsAndGroups
  /** Who watches this broker's metadata, and how far they have got (rule 5.8). */
  readonly watchers: Watchers
  readonly #options: BrokerOptions
  readonly #self: SelfView
  readonly #log: ReplicatedStore
  readonly #role: Role
  readonly #registration: Registration | undefined
  readonly #handBack: HandBack | undefined
  readonly #succession: Succession | undefined
  readonly #appointedListeners = new Set<(appointment: Appointment) => void>()
  /** Without a registry the master alone serves, under one epoch for as long as it lives (rule 4.2). */
  readonly #alone: ServingKnowledge | undefined
  readonly #stops: (() => void)[] = []
  readonly #merges: Counter
  readonly #retention: Retention | undefined

  private constructor(options: BrokerOptions, ports: BrokerPorts, parts: OpenedParts) {
    const { clock, logger, random, registry } = ports
    const { store, metadata, log, role } = parts
    this.#options = options
    this.store = store
    this.metadata = metadata
    this.#log = log
    this.#role = role
    this.visible = new VisiblePosition(
      Math.min(store.confirmedOnDisk, store.end),
      () => this.#role.visibleLimit,
    )
    if (registry === undefined && role.kind === 'master') {
      this.#alone = { servingEpoch: clock.now(), isPromised: true, seenEpoch: clock.now() }
    }
    this.#self = { options, store, metadata, role, visible: this.visible, instanceId: parts.instanceId }
    this.watchers = watchingSlaves(this.#self, () => this.#registration, ports)
    this.catalog = new TopicsAndGroups(metadata, options.create, () => this.#mayWrite())
    this.api = this.#messaging(ports)
    if (registry !== undefined) {
      this.#registration = Registration.start({}, { clock, random, logger }, registry, selfReport(this.#self))
    }
    if (role.kind === 'slave' && role.followed !== undefined && this.#registration !== undefined) {
      const { source } = role.followed
      this.#handBack = brokerHandBack(this.#self, this.api, this.#registration, source, ports)
    }
    this.#succession =
      this.#registration &&
      brokerSuccession(this.#self, this.api, this.#registration, ports, (appointment) => {
        for (const listener of this.#appointedListeners) listener(appointment)
      })
    observeBroker(ports.meter, {
      self: this.#self,
      registration: this.#registration,
      clock,
      files: ports.files,
      servingEpoch: () => this.servingEpoch,
      readiness: () => this.readiness,
    })
    this.#merges = ports.meter.counter(
      'rocketmq_ha_progress_merges_total',
      'Times that a slave handed over its progress and it was merged.',
    )
    this.#retention = startRetention(this.#self, ports)
    this.#wire(ports)
  }

  /**
   * Opens bottom-up: store, metadata, replication, messaging, registration. Whoever calls holds the directory's lock.
   * Throws what store, metadata and ports throw: `LOG_CORRUPT`, `STATE_FILE_CORRUPT`, `STORE_FOREIGN`, `EADDRINUSE` …
   */
  static async open(options: BrokerOptions, ports: BrokerPorts): Promise<Broker> {
    await using opened = new AsyncDisposableStack()
    const { store, metadata } = await openStores(options, ports)
    opened.use(store)
    opened.use(metadata)
    const instanceId = ports.random.bytes(8).toString('hex')
    const log = new ReplicatedStore(store)
    const role = opened.use(await openRole(options, ports, store, metadata, log, instanceId))
    const broker = new Broker(options, ports, { store, metadata, log, role, instanceId })
    opened.move()
    return broker
  }

  get role(): Role {
    return this.#role
  }

  /** The epoch under which consumers are answered here at this instant; `undefined`: they are not. */
  get servingEpoch(): number | undefined {
    return this.#serving().servingEpoch
  }

  /** `host:port` of the HA listener; empty on a slave. */
  get haAddress(): string {
    return haAddressOf(this.#self)
  }

  /** What an OK promises here, in words. */
  get okMeans(): string {
    const { role } = this
    return role.kind === 'master' ? role.okMeans : okMeans(this.#options.mode)
  }

  /** Sentences about what is wrong; empty = nothing. */
  get problems(): readonly string[] {
    const refusal = this.#registration?.refusal
    return refusal === undefined ? problemsOf(this.#self) : [refusal.message, ...problemsOf(this.#self)]
  }

  /** What it shows of itself, for people: its slaves, or whom it follows. */
  get details(): MemberDetails {
    return detailsOf(this.#self)
  }

  /** Whether it does its work now, and which checks fail. */
  get readiness(): BrokerReadiness {
    return brokerReadiness({
      self: this.#self,
      registration: this.#registration,
      servingEpoch: this.servingEpoch,
      isHandingBack: this.#handBack?.isSealed ?? false,
    })
  }

  /** Heard from the registry, or there is none to be heard from. */
  get isRegistered(): boolean {
    return this.#registration?.isRegistered ?? true
  }

  /** Calls `listener` when a registration, the token, writability, or a slave's connection to its master has changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    const registration = this.#registration
    const role = this.#role
    const stops = [
      role.kind === 'master' ? role.writability.onChange(listener) : role.onChange(listener),
      registration?.onAnswer(listener),
      registration?.onServing(listener),
    ]
    return () => {
      for (const stop of stops) stop?.()
    }
  }

  /**
   * Calls `listener` once when the registry has appointed a master and this broker therefore has to begin again: close it, write the
   * appointment down, open it in its new role (rule 3.5). Returns how to stop.
   */
  onAppointed(listener: (appointment: Appointment) => void): () => void {
    this.#appointedListeners.add(listener)
    return () => this.#appointedListeners.delete(listener)
  }

  /**
   * A sealed slave hands over all it knows, or one that no longer serves its progress (rule 4.7). Resolves once it is merged and on disk. A `claim` of one that is
   * not connected is judged: rejects with `PEER_REFUSED` if its log is no beginning of this one, and nothing is merged then; if serving has to stay with
   * it, after that. Rejects with `NOT_WRITABLE` where no master is that can serve.
   */
  async takeBack(snapshot: Snapshot, claim?: LogClaim): Promise<void> {
    const role = this.#role
    if (role.kind !== 'master') {
      throw new BrokerError('NOT_WRITABLE', 'serving is handed back to a master, and this broker is a slave')
    }
    if (claim !== undefined) {
      role.writability.check()
      const refusal = refusalOfClaim(claim, this.store)
      if (refusal !== undefined) throw new BrokerError('PEER_REFUSED', refusal)
    }
    this.metadata.merge(snapshot)
    await this.api.settleServed()
    await this.metadata.synced()
    this.#merges.add()
    const stays = claim?.givesServing === true ? refusalOfServing(this.#options.mode) : undefined
    if (stays !== undefined) throw new BrokerError('PEER_REFUSED', stays)
  }

  /** Top-down: the registry sees us leave first, the log is synced last. */
  async close(): Promise<void> {
    const role = this.#role
    if (role.kind === 'master') {
      role.quit()
      await Promise.resolve() // Messages of this turn are appended at its end: the goodbye names that.
    }
    this.#registration?.close({ isGoodbye: role.kind === 'master' })
    this.#succession?.stop()
    for (const stop of this.#stops) stop()
    this.api.close()
    await this.#retention?.stop()
    // Each is closed even if one above it could not be.
    await using parts = new AsyncDisposableStack()
    parts.use(this.store)
    parts.use(this.metadata)
    parts.use(this.#role)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #serving(): ServingKnowledge {
    if (this.#alone !== undefined) return this.#alone
    const registration = this.#registration
    return {
      servingEpoch: registration?.servingEpoch,
      isPromised: registration?.isPromised === true,
      seenEpoch: registration?.holder.seenEpoch ?? 0,
    }
  }

  /** Only a master writes, and only while nobody has a reason against it. */
  #mayWrite(): boolean {
    return this.#role.kind === 'master' && this.#role.writability.isWritable
  }

  #messaging(ports: BrokerPorts): Messaging {
    const { cluster, set, secret, maxMessageBytes } = this.#options
    const master = this.#role.kind === 'master' ? this.#role : undefined
    const mayWrite = (): boolean => this.#mayWrite()
    return new Messaging(
      { cluster, set, handleKey: handleKeyOf(set, secret), limits: { bodyBytesMax: maxMessageBytes } },
      {
        log: this.store,
        book: this.metadata,
        catalog: this.catalog,
        durability: master ?? { admit: refuseWriting, confirmed: refuseWriting },
        visible: this.visible,
        serving: servingToken(() => this.#serving()),
        witnesses: witnessesOf(this.watchers, this.metadata),
        writing: {
          get allowed() {
            return mayWrite()
          },
        },
        clock: ports.clock,
        logger: ports.logger,
        meter: ports.meter,
      },
    )
  }

  /** What happens in one part and matters to another. */
  #wire(ports: BrokerPorts): void {
    const { metadata, store, visible, api } = this
    const registration = this.#registration
    const changed = (): void => registration?.changed()
    const role = this.#role
    if (role.kind === 'master') {
      role.onEpoch(() => {
        const stop = cutProgress(metadata, store, role.writability, ports, () => {
          api.startTimers()
          changed()
        })
        this.#stops.push(stop)
      })
      role.writability.onChange(changed)
      this.#stops.push(role.drive(visible))
    } else {
      role.followServing(() => this.servingEpoch !== undefined)
      const followed = (): void => {
        this.#offerTimers(this.servingEpoch !== undefined)
        changed()
      }
      this.#stops.push(role.drive(visible, followed))
    }
    this.#stops.push(
      this.#log.onCut((at: LogOffset) => {
        visible.cutTo(at)
        // Other messages may come to lie where some of them lay.
        if (role.kind === 'slave') api.stopTimers()
      }),
      this.#log.onLineage(() => void metadata.lineageChanged()),
      this.#log.onAppend(() => {
        metadata.logAdvanced()
        this.#considerHandBack()
      }),
    )
    if (registration === undefined) return
    if (role.kind === 'slave') {
      const promise = new TokenPromise(registration, this.#options.root, ports)
      role.abstainBy(() => promise.give())
      this.#stops.push(
        registration.onAnswer(({ members }) => {
          promise.heard()
          role.heardOfMaster(members.find((member) => member.role === 'master'))
        }),
      )
    } else this.#stops.push(extendLease(this.#self, role, registration, ports.clock))
    this.#stops.push(
      registration.onAnswer((answer) => {
        this.#succession?.consider(answer)
        if (role.kind === 'master') this.#hear(role, answer)
        this.#considerHandBack()
      }),
      registration.onServing((epoch) => this.#servingChanged(epoch)),
    )
  }

  #hear(role: MasterRole, { highestLogEpoch, stepDown }: RegistryAnswer): void {
    role.heardOfEpoch(highestLogEpoch)
    if (role.steppedDown === stepDown) return
    role.stepDown(stepDown)
    this.#registration?.changed()
  }

  #servingChanged(epoch: number | undefined): void {
    this.visible.refresh()
    const answer = this.#registration?.answer
    if (answer !== undefined) this.#succession?.consider(answer)
    this.#offerTimers(epoch !== undefined)
    if (epoch !== undefined) this.#handBack?.served()
    if (epoch !== undefined || this.#handBack?.isSealed === true) return
    // Whoever waits here is told, and asks the one who serves now.
    this.api.stopServing()
  }

  /** What is due while this slave serves it hands out itself (rule 5.6); of what an Apache master has delivered its log says nothing. */
  #offerTimers(isServing: boolean): void {
    if (this.#role.kind !== 'slave' || this.#options.slave?.peer === 'apache') return
    if (isServing) this.api.offerTimers()
    else this.api.stopTimers()
  }

  #considerHandBack(): void {
    const role = this.#role
    if (this.#handBack === undefined || this.#registration === undefined || role.kind !== 'slave') return
    considerHandBack(this.#handBack, role, this.#registration)
  }
}

interface OpenedParts {
  readonly store: MessageStore
  readonly metadata: MetadataStore
  readonly log: ReplicatedStore
  readonly role: Role
  readonly instanceId: string
}
