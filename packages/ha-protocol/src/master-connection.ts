import {
  BrokerError,
  DeadlineTimer,
  EventTurns,
  messageOf,
  splitAddress,
  unreachable,
  type Connection,
} from '@tandemmq/base'
import { NONCE_BYTES, encodeFrameHeader, lastEpoch } from '@tandemmq/codec'
import type { Hello } from '@tandemmq/codec'
import { tellHangUp } from './hang-up-line.ts'
import { masterDeadline, stepMaster } from './master-session.ts'
import type {
  HangUp,
  MasterContext,
  MasterEffect,
  MasterEvent,
  MasterState,
  MasterStep,
} from './master-state.ts'
import { isTlsFailure } from './one-sided-tls.ts'
import { ReadSide } from './read-side.ts'
import type { Heard } from './read-side.ts'
import { Replica } from './replica.ts'
import type { ReplicaHolder, ReplicaName } from './replica.ts'
import { TailBorrower } from './tail-borrower.ts'
import type { MasterSurroundings } from './master-surroundings.ts'
import { RangeVerifier } from './range-verifier.ts'
import type { SlaveRecord } from './slave-records.ts'
import { WriteSide } from './write-side.ts'

/** How long a peer that was told why may take to read it. */
const PARTING_MS = 1_000
/** A roster that could not be written is tried again after this long. */
const ENROLL_AGAIN_MS = 1_000
/** A wall clock that differs by more is warned about (rule 5.9). */
const SKEW_WARNED_MS = 1_000

/** Drives the master's session of one connection: feeds it events, does what it says. Nothing is decided here. */
export class MasterConnection implements ReplicaHolder {
  readonly #connection: Connection
  readonly #around: MasterSurroundings
  readonly #read: ReadSide
  readonly #write: WriteSide
  readonly #borrower: TailBorrower
  readonly #turns = new EventTurns<MasterEvent>(
    (event) => this.#step(event),
    () => this.#arm(),
  )
  readonly #timer: DeadlineTimer
  #state: MasterState
  #replica: Replica | undefined
  #peer: Hello | undefined
  /** Present once the slave has proven who it is. */
  #record: SlaveRecord | undefined
  #verifier: RangeVerifier | undefined
  #skewMs = 0
  #epoch = 0
  #probe: { readonly token: number; readonly alive: () => void } | undefined

  constructor(connection: Connection, around: MasterSurroundings) {
    this.#connection = connection
    this.#around = around
    this.#state = { kind: 'awaiting-hello', since: around.clock.monotonic() }
    this.#timer = new DeadlineTimer(around.clock, () => this.#dispatch({ kind: 'tick' }))
    this.#borrower = new TailBorrower(around.log, (event) => this.#dispatch(event))
    this.#read = new ReadSide((event) => this.#heard(event))
    this.#write = new WriteSide(connection, around, around.limits, {
      sent: (next) => this.#onSent(next),
      unreadable: (words) => this.#dispatch({ kind: 'given-up', refusal: { reason: 'log', words } }),
    })
  }

  get remote(): string {
    return this.#connection.remote
  }

  start(): void {
    this.#connection.start({
      data: (chunk) => this.#read.push(chunk),
      drained: () => this.#write.drained(),
      closed: (cause) => this.#onClosed(cause),
    })
    this.#arm()
  }

  /** The log has grown. */
  wake(): void {
    if (this.#state.kind !== 'streaming') return
    const hasLineage = this.#replica !== undefined && this.#peer !== undefined
    const isNewEpoch = hasLineage && lastEpoch(this.#around.log.lineage) !== this.#epoch
    if (isNewEpoch) this.#dispatch({ kind: 'epoch-opened' })
    else if (this.#state.isStarted) this.#write.wake()
  }

  confirm(position: number): void {
    if (this.#state.kind === 'streaming' && this.#state.peer !== undefined) this.#write.confirm(position)
  }

  /** See {@link HaMaster.askToAbstain}. */
  askToAbstain(question: number): void {
    if (this.#state.kind === 'streaming' && this.#state.peer !== undefined)
      this.#write.control({ abstain: question })
  }

  probe(alive: () => void): void {
    this.#probe = { token: this.#around.random.below(2 ** 31), alive }
    this.#write.control({ ping: this.#probe.token })
  }

  evict(words: string): void {
    this.#dispatch({ kind: 'given-up', refusal: { reason: 'replaced', words } })
  }

  rival(outcome: 'gone' | 'alive'): void {
    if (outcome === 'gone') return this.#dispatch({ kind: 'rival-gone' })
    const identity = this.#peer?.identity ?? ''
    const rival = this.#around.table.holderOf(identity)
    const words = `another process is connected as "${identity}" from ${rival?.remote ?? 'elsewhere'}, and answers`
    this.#dispatch({ kind: 'rival-alive', words })
  }

  close(): void {
    this.evict('the master stops')
  }

  #heard(event: Heard): void {
    if (event.kind === 'piece') return this.#borrower.take(event.offset, event.bytes)
    if (event.kind !== 'hello') return this.#dispatch(event)
    const { clock, random } = this.#around
    const wallClock = clock.now()
    this.#peer = event.received.hello
    this.#skewMs = this.#peer.wallClock - wallClock
    const certificate = this.#connection.peerCertificate
    this.#dispatch({ ...event, nonce: random.bytes(NONCE_BYTES), wallClock, certificate })
  }

  #onClosed(cause: Error | undefined): void {
    if (!isTlsFailure(cause)) return this.#dispatch({ kind: 'closed' })
    this.#dispatch({ kind: 'given-up', refusal: { reason: 'tls', words: messageOf(cause) } })
  }

  #onSent(next: number): void {
    if (this.#state.kind !== 'streaming') return
    const now = this.#around.clock.monotonic()
    if (next > this.#state.next) {
      this.#around.metrics.sentBytes.add(next - this.#state.next)
      this.#replica?.sentUpTo(next, now)
    }
    this.#dispatch({ kind: 'sent', next })
  }

  #dispatch(event: MasterEvent): void {
    this.#turns.take(event)
  }

  #arm(): void {
    this.#timer.arm(masterDeadline(this.#state, this.#around.context.config))
  }

  #step(event: MasterEvent): void {
    const { clock, context, logger } = this.#around
    const before = this.#state
    const { state, effects } = this.#stepped(before, event, clock.monotonic(), context)
    this.#state = state
    if (state.kind !== before.kind) {
      logger.debug(
        { peer: this.remote, from: before.kind, event: event.kind, to: state.kind },
        'HA connection',
      )
    }
    for (const effect of effects) this.#perform(effect)
    if (state.kind === 'closed' && before.kind !== 'closed') this.#over()
  }

  /** Reading our own log may fail in the middle of a handshake: that ends the connection, not the master. */
  #stepped(before: MasterState, event: MasterEvent, now: number, context: MasterContext): MasterStep {
    try {
      return stepMaster(before, event, now, context)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      const refusal = { reason: 'log', words: error.message }
      return stepMaster(before, { kind: 'given-up', refusal }, now, context)
    }
  }

  #perform(effect: MasterEffect): void {
    switch (effect.kind) {
      case 'say-hello':
        this.#connection.write(effect.bytes)
        return
      case 'answer':
        this.#connection.write(effect.bytes)
        return
      case 'introduce':
        return this.#introduce(effect.peer)
      case 'claim':
        return this.#dispatch(this.#around.table.claim(effect.peer, this))
      case 'evict-rival':
        return this.#around.table.evict(
          this.#peer?.identity ?? '',
          `${this.remote} has taken its identity over`,
        )
      case 'admit':
        return this.#admit(effect.peer, effect.counted)
      case 'admit-legacy':
        return this.#admitLegacy(effect.counted)
      case 'start-sending':
        this.#read.startStream()
        return this.#write.start(effect.at)
      case 'progress':
        this.#replica?.reported(effect.received, this.#around.clock.monotonic())
        if (this.#replica?.isCounted) this.#around.table.progress()
        this.#verifier?.wake()
        return
      case 'note':
        this.#replica?.noted(effect.control, this.#around.clock.monotonic())
        this.#verifier?.heard(effect.control)
        if (effect.control.abstains !== undefined && this.#replica !== undefined)
          this.#around.abstained(this.#replica.peer.identity, effect.control.abstains)
        if (this.#probe !== undefined && effect.control.pong === this.#probe.token) this.#probe.alive()
        return
      case 'pong':
        this.#write.control({ pong: effect.token })
        return
      case 'counts-to':
        this.#write.control({ countsTo: effect.position })
        return
      case 'heartbeat':
        this.wake()
        return this.#write.heartbeat()
      case 'adopt': {
        const facts = { peer: this.remote, identity: this.#peer?.identity, ours: this.#around.log.end }
        this.#around.logger.warn(
          { ...facts, theirs: this.#peer?.end },
          'fetching from a slave what this log lacks',
        )
        this.#around.accepted(this)
        void this.#borrower.adopt(effect.lineage, this.#around.borrowing(this.#peer?.identity ?? ''))
        return
      }
      case 'start-borrowing':
        return this.#read.startBorrowing()
      case 'append':
        return this.#borrower.append(effect.offset)
      case 'keep':
        void this.#borrower.keep()
        return
      case 'say-alive':
        this.#connection.write(encodeFrameHeader(effect.next, 0))
        return
      case 'borrowed':
        return this.#around.borrowed(effect.from)
      case 'hang-up':
        return this.#hangUp(effect)
      default:
        return unreachable(effect)
    }
  }

  #introduce(peer: Hello): void {
    const { logger } = this.#around
    if (Math.abs(this.#skewMs) > SKEW_WARNED_MS) {
      logger.warn(
        { peer: this.remote, identity: peer.identity, skewMs: this.#skewMs },
        'clocks of master and slave differ',
      )
    }
    this.#record = this.#around.records.of(peer.identity, this.remote)
    this.#around.introduced(peer)
  }

  #admit(peer: Hello, counted: boolean): void {
    const { clock, log, logger } = this.#around
    if (this.#state.kind !== 'streaming') return
    this.#read.startStream()
    this.#epoch = lastEpoch(log.lineage)
    const at = { from: this.#state.received, now: clock.monotonic(), skewMs: this.#skewMs }
    const replica = this.#seat(peer, at)
    const facts = { peer: this.remote, identity: peer.identity, offset: this.#state.next, counted }
    logger.info(facts, 'slave accepted')
    this.#around.accepted(this)
    const confirmed = this.#around.confirmed()
    if (confirmed !== undefined) this.#write.confirm(confirmed)
    this.#verifier = this.#verifierOf(replica)
    if (counted) void this.#count(replica)
  }

  /**
   * An address is all the identity that a slave without a hello has. Counted ones stand for it once, however often they connect: the
   * newest connection does.
   */
  #admitLegacy(counted: boolean): void {
    const { clock, logger, table } = this.#around
    if (this.#state.kind !== 'streaming') return
    const identity = `apache@${counted ? splitAddress(this.remote).host : this.remote}`
    if (counted) table.evict(identity, `${this.remote} has taken its place`)
    if (!table.hasRoom) return this.evict('this master has as many replicas as it takes')
    this.#read.startStream()
    const at = { from: this.#state.received, now: clock.monotonic(), skewMs: 0 }
    const replica = this.#seat({ identity, instanceId: '' }, at)
    const facts = { peer: this.remote, identity, offset: this.#state.next, counted }
    logger.info(facts, 'a slave of Apache RocketMQ follows')
    this.#around.accepted(this)
    if (counted) void this.#count(replica)
  }

  #verifierOf(replica: Replica): RangeVerifier {
    const { identity } = replica.peer
    return new RangeVerifier({
      ...this.#around,
      // A slave can answer wrongly as often as it is asked.
      logger: this.#around.sparingly,
      identity,
      verification: this.#around.records.of(identity, this.remote).verification,
      limits: this.#around.verifierLimits,
      mismatches: this.#around.metrics.mismatches,
      confirmed: () => Math.min(this.#around.confirmed() ?? 0, replica.received),
      send: (control) => this.#write.control(control),
    })
  }

  /** A range is to be compared now. */
  verify(): void {
    this.#verifier?.wake()
  }

  #seat(name: ReplicaName, at: ConstructorParameters<typeof Replica>[2]): Replica {
    const { metrics, records, table } = this.#around
    const record = records.of(name.identity, this.remote)
    const replica = new Replica(name, this, at, (tookMs) => {
      record.ackLatency.observe(tookMs)
      metrics.ackLatency.observe(tookMs, { identity: name.identity })
    })
    this.#record = record
    this.#replica = replica
    record.accepted(replica)
    table.seat(replica)
    metrics.accepted.add()
    return replica
  }

  /** Rule 3.3: an identity is in the roster, on disk, before it counts. Tried until it is, and said once. */
  async #count(replica: Replica, attempt = 1): Promise<void> {
    const { clock, logger } = this.#around
    try {
      await this.#around.enroll(replica.peer.identity)
    } catch (error) {
      if (this.#state.kind !== 'streaming') return
      const facts = { peer: this.remote, identity: replica.peer.identity, error: messageOf(error) }
      if (attempt === 1) logger.error(facts, 'slave not counted: the roster could not be written')
      clock.after(ENROLL_AGAIN_MS, () => void this.#count(replica, attempt + 1))
      return
    }
    if (this.#state.kind !== 'streaming') return
    replica.enrolled()
    this.#around.table.progress()
  }

  #hangUp({ refusal, manner }: HangUp): void {
    const { clock, logger, metrics, sparingly } = this.#around
    metrics.hungUp.add(1, { reason: refusal.reason })
    this.#record?.refused(refusal, manner !== 'silent')
    if (manner === 'violation') metrics.violations.add()
    const slave = { peer: this.remote, identity: this.#peer?.identity }
    tellHangUp(this.#replica === undefined ? sparingly : logger, slave, { refusal, manner })
    if (manner !== 'told') return this.#connection.destroy()
    this.#connection.end()
    clock.after(PARTING_MS, () => this.#connection.destroy())
  }

  #over(): void {
    this.#read.stop()
    this.#write.stop()
    this.#verifier?.stop()
    this.#timer.cancel()
    if (this.#replica !== undefined) {
      this.#around.logger.info({ peer: this.remote, identity: this.#replica.peer.identity }, 'slave gone')
    }
    const identity = this.#replica?.peer.identity ?? this.#peer?.identity
    if (identity !== undefined) this.#around.table.leave(identity, this)
    this.#around.over(this)
  }
}
