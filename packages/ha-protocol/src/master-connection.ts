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
import { warnOfClockAhead } from './clock-skew.ts'
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
import type { ReplicaHolder } from './replica.ts'
import { TailBorrower } from './tail-borrower.ts'
import type { MasterSurroundings } from './master-surroundings.ts'
import type { SlaveRecord } from './slave-records.ts'
import { ROSTER_FULL } from './replica-table.ts'
import { SlaveSeat } from './slave-seat.ts'
import { WriteSide } from './write-side.ts'

/** How long a peer that was told why may take to read it. */
const PARTING_MS = 1_000

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
  #seat: SlaveSeat | undefined
  #peer: Hello | undefined
  /** Present once the slave has proven who it is. */
  #record: SlaveRecord | undefined
  /** The time in the slave's hello, minus ours when it came. */
  #aheadMs = 0
  /** Its name is that of the connection, and means nothing after it. */
  #isPassing = false
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
    const hasLineage = this.#seat !== undefined && this.#peer !== undefined
    const isNewEpoch = hasLineage && lastEpoch(this.#around.log.lineage) !== this.#epoch
    if (isNewEpoch) this.#dispatch({ kind: 'epoch-opened' })
    else if (this.#state.isStarted) this.#write.wake()
  }

  confirm(position: number): void {
    if (this.#state.kind === 'streaming' && this.#state.peer !== undefined) this.#write.confirm(position)
  }

  /** The roster has changed. */
  tellRoster(): void {
    const { peer } = this.#state.kind === 'streaming' ? this.#state : {}
    if (peer === undefined) return
    const others = (names: readonly string[]) => names.filter((name) => name !== peer.identity)
    this.#write.roster(others(this.#around.holders()), others(this.#around.forgotten()))
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
    this.#aheadMs = this.#peer.wallClock - wallClock
    const certificate = this.#connection.peerCertificate
    this.#dispatch({ ...event, nonce: random.bytes(NONCE_BYTES), wallClock, certificate })
  }

  #onClosed(cause: Error | undefined): void {
    if (!isTlsFailure(cause)) return this.#dispatch({ kind: 'closed' })
    this.#dispatch({ kind: 'given-up', refusal: { reason: 'tls', words: messageOf(cause) } })
  }

  #onSent(next: number): void {
    if (this.#state.kind !== 'streaming') return
    if (next > this.#state.next) {
      this.#around.metrics.sentBytes.add(next - this.#state.next)
      this.#seat?.sentUpTo(next)
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
        this.#seat?.reported(effect.received)
        return
      case 'note':
        this.#seat?.noted(effect.control)
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
    const facts = { peer: this.remote, identity: peer.identity }
    warnOfClockAhead(this.#around.sparingly, facts, this.#aheadMs)
    this.#record = this.#around.records.of(peer.identity, this.remote)
    this.#around.introduced(peer)
  }

  #admit(peer: Hello, counted: boolean): void {
    const { clock, log, sparingly } = this.#around
    if (this.#state.kind !== 'streaming') return
    this.#read.startStream()
    this.#epoch = lastEpoch(log.lineage)
    const at = { from: this.#state.received, now: clock.monotonic() }
    const seat = new SlaveSeat(peer, this, at, this.#around)
    this.#seat = seat
    const facts = { peer: this.remote, identity: peer.identity, offset: this.#state.next, counted }
    sparingly.info(facts, 'slave accepted')
    this.#around.accepted(this)
    const confirmed = this.#around.confirmed()
    if (confirmed !== undefined) this.#write.confirm(confirmed)
    this.tellRoster()
    seat.compareCopies((control) => this.#write.control(control))
    if (counted) void seat.count()
  }

  /**
   * An address is all the identity that a slave without a hello has. Counted ones stand for it once, however often they connect: the
   * newest connection does.
   */
  #admitLegacy(counted: boolean): void {
    const { clock, sparingly, table } = this.#around
    if (this.#state.kind !== 'streaming') return
    const ofHost = `apache@${splitAddress(this.remote).host}`
    const identity = counted ? ofHost : `apache@${this.remote}`
    if (counted) table.evict(identity, `${this.remote} has taken its place`)
    if (counted && !table.hasPlaceInRoster(identity)) return this.evict(ROSTER_FULL)
    if (!table.hasRoom) return this.evict('this master has as many replicas as it takes')
    this.#read.startStream()
    const at = { from: this.#state.received, now: clock.monotonic() }
    const seat = new SlaveSeat({ identity, instanceId: '' }, this, at, this.#around, ofHost)
    this.#seat = seat
    this.#isPassing = !counted
    const facts = { peer: this.remote, identity, offset: this.#state.next, counted }
    sparingly.info(facts, 'a slave of Apache RocketMQ follows')
    this.#around.accepted(this)
    if (counted) void seat.count()
  }

  /** A range is to be compared now. */
  verify(): void {
    this.#seat?.verify()
  }

  #hangUp({ refusal, manner }: HangUp): void {
    const { clock, metrics, sparingly } = this.#around
    metrics.hungUp(refusal.reason)
    const record = this.#seat?.record ?? this.#record
    record?.refused(refusal, manner !== 'silent')
    if (manner === 'violation') metrics.violations.add()
    const slave = { peer: this.remote, identity: this.#peer?.identity }
    tellHangUp(sparingly, slave, { refusal, manner })
    if (manner !== 'told') return this.#connection.destroy()
    this.#connection.end()
    clock.after(PARTING_MS, () => this.#connection.destroy())
  }

  #over(): void {
    this.#read.stop()
    this.#write.stop()
    this.#seat?.leave()
    this.#timer.cancel()
    if (this.#seat !== undefined) {
      this.#around.sparingly.info({ peer: this.remote, identity: this.#seat.identity }, 'slave gone')
    }
    const identity = this.#seat?.identity ?? this.#peer?.identity
    if (identity !== undefined) this.#around.table.leave(identity, this)
    if (this.#isPassing && identity !== undefined) this.#around.records.forget(identity)
    this.#around.over(this)
  }
}
