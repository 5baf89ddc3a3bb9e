import type { LogOffset } from '@tandemmq/base'
import { Messaging } from '@tandemmq/messaging'
import type { LogClaim, MetadataStore, Snapshot, Watchers } from '@tandemmq/metadata'
import type { Appointment, MemberDetails } from '@tandemmq/registry'
import type { MessageStore, Retention } from '@tandemmq/storage'
import { detailsOf, haAddressOf, problemsOf, type SelfView } from './broker-description.ts'
import { observeBroker } from './broker-metrics.ts'
import { brokerReadiness, type BrokerReadiness } from './broker-readiness.ts'
import type { BrokerOptions, BrokerPorts } from './broker-options.ts'
import { okMeans } from './durability-mode.ts'
import { handleKeyOf } from './handle-key.ts'
import { Membership } from './membership.ts'
import { openStores } from './open-stores.ts'
import { openRole } from './open-role.ts'
import { refuseWriting } from './writability.ts'
import { cutProgress } from './progress-cut.ts'
import { startRetention } from './log-retention.ts'
import { ReplicatedStore } from './replicated-store.ts'
import type { Role } from './role.ts'
import { servingToken } from './serving-token.ts'
import { TakingBack } from './taking-back.ts'
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
  readonly #membership: Membership
  readonly #takingBack: TakingBack
  readonly #stops: (() => void)[] = []
  readonly #retention: Retention | undefined

  private constructor(options: BrokerOptions, ports: BrokerPorts, parts: OpenedParts) {
    const { clock, files, meter } = ports
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
    this.#self = { options, store, metadata, role, visible: this.visible, instanceId: parts.instanceId }
    this.watchers = watchingSlaves(this.#self, () => this.#membership.registration, ports)
    this.catalog = new TopicsAndGroups(metadata, options.create, () => this.#mayWrite())
    this.api = this.#messaging(ports)
    this.#membership = new Membership(this.#self, this.api, ports)
    this.#takingBack = new TakingBack(this.#self, this.api, meter)
    observeBroker(meter, {
      self: this.#self,
      registration: this.#membership.registration,
      clock,
      files,
      servingEpoch: () => this.servingEpoch,
      readiness: () => this.readiness,
    })
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
    return this.#membership.servingEpoch
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
    const refusal = this.#membership.registration?.refusal
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
      registration: this.#membership.registration,
      servingEpoch: this.servingEpoch,
      isHandingBack: this.#membership.isHandingBack,
    })
  }

  /** Heard from the registry, or there is none to be heard from. */
  get isRegistered(): boolean {
    return this.#membership.isRegistered
  }

  /** Calls `listener` when a registration, the token, writability, or a slave's connection to its master has changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    const role = this.#role
    const stops = [
      role.kind === 'master' ? role.writability.onChange(listener) : role.onChange(listener),
      this.#membership.onChange(listener),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /**
   * Calls `listener` once when the registry has appointed a master and this broker therefore has to begin again: close it, write the
   * appointment down, open it in its new role (rule 3.5). Returns how to stop.
   */
  onAppointed(listener: (appointment: Appointment) => void): () => void {
    return this.#membership.onAppointed(listener)
  }

  /**
   * A sealed slave hands over all it knows, or one that no longer serves its progress (rule 4.7). Resolves once it is merged and on disk. A `claim` of one that is
   * not connected is judged: rejects with `PEER_REFUSED` if its log is no beginning of this one, and nothing is merged then; if serving has to stay with
   * it, after that. Rejects with `NOT_WRITABLE` where no master is that can serve.
   */
  takeBack(snapshot: Snapshot, claim?: LogClaim): Promise<void> {
    return this.#takingBack.take(snapshot, claim)
  }

  /** Top-down: the registry sees us leave first, the log is synced last. */
  async close(): Promise<void> {
    const role = this.#role
    if (role.kind === 'master') {
      role.quit()
      await Promise.resolve() // Messages of this turn are appended at its end: the goodbye names that.
    }
    this.#membership.leave()
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
        serving: servingToken(() => this.#membership.serving),
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
    const membership = this.#membership
    const role = this.#role
    if (role.kind === 'master') {
      role.onEpoch(() => {
        const stop = cutProgress(metadata, store, role.writability, ports, () => {
          api.startTimers()
          membership.changed()
        })
        this.#stops.push(stop)
      })
      role.writability.onChange(() => membership.changed())
      this.#stops.push(role.drive(visible))
    } else this.#stops.push(role.drive(visible, () => membership.linkChanged()))
    this.#stops.push(
      this.#log.onCut((at: LogOffset) => {
        visible.cutTo(at)
        // Other messages may come to lie where some of them lay.
        if (role.kind === 'slave') api.stopTimers()
      }),
      this.#log.onLineage(() => void metadata.lineageChanged()),
      this.#log.onAppend(() => {
        metadata.logAdvanced()
        membership.considerHandBack()
      }),
      this.#log.onDispatch(() => metadata.logAdvanced()),
    )
  }
}

interface OpenedParts {
  readonly store: MessageStore
  readonly metadata: MetadataStore
  readonly log: ReplicatedStore
  readonly role: Role
  readonly instanceId: string
}
