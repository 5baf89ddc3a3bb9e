import { joinAddress } from '@tandemmq/base'
import { HaSlave, memberOf, isMasterAway, type FollowingView } from '@tandemmq/ha-protocol'
import { MetadataSync, type MetadataSource, type MetadataStore } from '@tandemmq/metadata'
import type { MemberView } from '@tandemmq/registry'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts, SlaveOptions } from './broker-options.ts'
import { DoubtfulEnd } from './doubtful-end.ts'
import type { Route } from './hand-back.ts'
import { LearnedRoster } from './learned-roster.ts'
import { MasterReach } from './master-reach.ts'
import type { ReplicatedStore } from './replicated-store.ts'
import type { VisiblePosition } from './visible-position.ts'

/** A slave that lacks no more than this has copied what it could: it may give the token back. */
export const CAUGHT_UP_BYTES = 64 * 1024

/** Where a slave's metadata comes from. */
export interface FollowedMetadata {
  readonly source: MetadataSource
  readonly sync: MetadataSync
}

/**
 * What a broker does as slave: copies the log of one master byte for byte, keeps its metadata, and reads as far as it
 * may. It never appends anything of its own (ARCHITECTURE.md, "What must always be true", 4).
 */
export class SlaveRole implements AsyncDisposable {
  readonly kind = 'slave'
  /** `undefined`: the master is one of Apache's, whose metadata does not come this way. */
  readonly followed: FollowedMetadata | undefined
  readonly #options: BrokerOptions
  readonly #store: MessageStore
  readonly #doubtfulEnd: DoubtfulEnd
  readonly #ha: HaSlave
  readonly #log: ReplicatedStore
  #isServing: () => boolean = () => false
  #abstain: () => boolean = () => false
  readonly #reach: MasterReach

  private constructor(
    reach: MasterReach,
    options: BrokerOptions,
    store: MessageStore,
    ha: HaSlave,
    followed: FollowedMetadata | undefined,
    log: ReplicatedStore,
    doubtfulEnd: DoubtfulEnd,
  ) {
    this.#reach = reach
    this.#doubtfulEnd = doubtfulEnd
    this.#options = options
    this.#store = store
    this.#ha = ha
    this.followed = followed
    this.#log = log
  }

  static open(
    options: BrokerOptions,
    slave: SlaveOptions,
    ports: BrokerPorts,
    store: MessageStore,
    metadata: MetadataStore,
    log: ReplicatedStore,
    instanceId: string,
  ): SlaveRole {
    const doubtfulEnd = new DoubtfulEnd(store, log, ports.logger)
    const roster = new LearnedRoster(store, options.identity, ports.logger)
    let role: SlaveRole | undefined // Asked for a promise only after this turn.
    const ha = HaSlave.start(
      {
        masterAddress: slave.masterHa,
        ...memberOf({ ...options, instanceId }),
        confirmed: store.confirmedOnDisk,
        dispatched: () => store.dispatched.at,
        beforeHello: () => doubtfulEnd.cut(true),
        learnRoster: (names) => roster.learn(names),
        learnForgotten: (names) => roster.forget(names),
        abstain: () => role !== undefined && role.#abstain(),
        peer: slave.peer ?? 'tandemmq',
        // Apache's master does not ask for it.
        flushBeforeReport: slave.peer === 'apache' && options.mode.flush === 'sync',
      },
      ports,
      log,
    )
    const followed = slave.peer === 'apache' ? undefined : followMetadata(slave, ports, metadata)
    role = new SlaveRole(new MasterReach(ports.clock), options, store, ha, followed, log, doubtfulEnd)
    return role
  }

  /** How this role learns whether the broker answers consumers at present. */
  followServing(isServing: () => boolean): void {
    this.#isServing = isServing
  }

  /** How this role promises its master that the broker takes no serving token; see {@link Registration.abstain}. */
  abstainBy(abstain: () => boolean): void {
    this.#abstain = abstain
  }

  get masterConnected(): boolean {
    return this.#ha.masterConnected
  }

  /** Calls `listener` when the connection to the master is in another state; returns how to stop. */
  onChange(listener: () => void): () => void {
    return this.#ha.onState(listener)
  }

  /** What this slave can say of itself and its master. */
  following(): FollowingView {
    return this.#ha.following()
  }

  /** Why this slave does not follow its master now, or has only its log; absent while it follows. */
  get problem(): string | undefined {
    const { state } = this.#ha
    if (state.kind === 'streaming') return this.#metadataProblem
    const trouble = 'trouble' in state ? state.trouble?.words : undefined
    return trouble ?? `not connected to its master at ${this.#masterAddress}`
  }

  /** The master is there and has refused this slave, or this slave the master: another secret, set, log. */
  get isRefused(): boolean {
    const { state } = this.#ha
    return 'trouble' in state && state.trouble !== undefined && !isMasterAway(state.trouble)
  }

  /** The registry has answered: so it sees the master of the set; `undefined`: it knows of none. */
  heardOfMaster(master: MemberView | undefined): void {
    this.#reach.heard(master)
  }

  /**
   * How what is known here may go to `master` now (rule 4.7). Straight, if the master is back, holds all that this slave has, and this slave has copied what it
   * lacked. The connection may still be that of an earlier process of the master: only a slave that has met the present one knows its epoch. Around, if the two
   * cannot reach each other; what the master holds is its to judge then.
   */
  routeTo(master: MemberView | undefined): Route | undefined {
    if (master === undefined || !master.alive || !master.writable) return undefined
    if (!this.masterConnected) return this.#reach.isApart ? 'around' : undefined
    if (master.lastEpoch !== this.#store.lineage?.epochs.at(-1)?.epoch) return undefined
    return master.end - this.#store.end <= CAUGHT_UP_BYTES ? 'straight' : undefined
  }

  /**
   * How far consumers may read here (rule 4.4): to the own end while it serves and its master is not connected, otherwise to the
   * confirmed position that the master sent.
   */
  get visibleLimit(): number {
    const sound = this.#options.mode.flush === 'sync' ? this.#store.flushed.at : this.#store.end
    // What it will cut off when it meets its master nobody may have seen.
    const own = this.#doubtfulEnd.isGone ? sound : Math.min(sound, this.#store.recovery.trustedEnd)
    // A master of Apache's has no confirmed position to send: what it sent, it has.
    if (this.#options.slave?.peer === 'apache') return own
    if (this.#isServing() && !this.masterConnected) return own
    return Math.min(this.#store.end, this.#ha.confirmed.at)
  }

  /** Keeps `visible` up to date; returns how to stop. `changed` hears about the connection to the master. */
  drive(visible: VisiblePosition, changed: () => void): () => void {
    const refresh = (): void => visible.refresh()
    let unfollow = this.#ha.confirmed.onAdvance(refresh)
    let wasStreaming = false
    const stops = [
      this.#log.onAppend(refresh),
      this.#log.onFlush(refresh),
      visible.onAdvance((at) => this.#store.saveConfirmed(at)),
      this.#ha.onState((state) => {
        // A cut on order puts another frontier in the old one's place; it happens before every stream.
        unfollow()
        unfollow = this.#ha.confirmed.onAdvance(refresh)
        refresh()
        const isStreaming = state.kind === 'streaming'
        if (isStreaming && !wasStreaming) this.followed?.sync.wake()
        this.#reach.connected(isStreaming)
        wasStreaming = isStreaming
        changed()
      }),
    ]
    refresh()
    return () => {
      unfollow()
      for (const stop of stops) stop()
    }
  }

  get #metadataProblem(): string | undefined {
    const trouble = this.followed?.sync.trouble
    return (
      trouble &&
      `has the log of its master, but not what that knows of topics and consumers (asked at ${this.#masterAddress}): ${trouble}`
    )
  }

  get #masterAddress(): string {
    const { slave } = this.#options
    if (slave === undefined) return ''
    return slave.peer === 'apache' ? joinAddress(slave.masterHa.host, slave.masterHa.port) : slave.masterGrpc
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.followed?.sync.close()
    await this.#ha.leave()
  }
}

function followMetadata(slave: SlaveOptions, ports: BrokerPorts, metadata: MetadataStore): FollowedMetadata {
  const source = ports.metadataSource(slave.masterGrpc)
  const options = { pullIntervalMs: slave.pullIntervalMs, watch: slave.watch }
  return { source, sync: MetadataSync.start(options, ports, source, metadata) }
}
