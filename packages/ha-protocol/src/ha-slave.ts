import {
  BrokerError,
  DeadlineTimer,
  EventTurns,
  Frontier,
  invariant,
  unreachable,
  SparingLogger,
  type LogOffset,
  type Logger,
} from '@tandemmq/base'
import { encodeReport } from '@tandemmq/codec'
import { warnOfClockAhead } from './clock-skew.ts'
import { observeFollowing, slaveMetrics } from './ha-metrics.ts'
import type { SlaveMetrics } from './ha-metrics.ts'
import type { HaPorts } from './ha-ports.ts'
import type { HaSlaveOptions } from './ha-slave-options.ts'
import { viewOf } from './replicated-log.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import { followingView } from './following-view.ts'
import type { FollowingView } from './following-view.ts'
import { SlaveHistory } from './slave-history.ts'
import { SlaveComplaints } from './slave-complaints.ts'
import { slaveConfig } from './slave-config.ts'
import { SlaveDisk } from './slave-disk.ts'
import { SlaveIntake } from './slave-intake.ts'
import { SlaveLink } from './slave-link.ts'
import { SlavePositions } from './slave-positions.ts'
import { slaveDeadline, stepSlave } from './slave-session.ts'
import type { SlaveContext, SlaveEffect, SlaveEvent, SlaveState } from './slave-state.ts'
import { SlaveVerification } from './slave-verification.ts'

/** The slave's side of replication: follows one master for as long as it lives, whatever happens to the connection. */
export class HaSlave {
  readonly #options: HaSlaveOptions
  readonly #ports: HaPorts
  readonly #log: ReplicatedLog
  readonly #context: SlaveContext
  readonly #metrics: SlaveMetrics
  readonly #complaints: SlaveComplaints
  /** A slave whose disk has no room comes and goes every few seconds. */
  readonly #sparingly: Logger
  readonly #history: SlaveHistory
  readonly #verification: SlaveVerification
  readonly #positions: SlavePositions
  readonly #link: SlaveLink
  readonly #intake: SlaveIntake
  readonly #turns = new EventTurns<SlaveEvent>(
    (event) => this.#step(event),
    () => this.#settled(),
  )
  readonly #timer: DeadlineTimer
  readonly #listeners = new Set<(state: SlaveState) => void>()
  #confirmed: Frontier
  #state: SlaveState
  #disk: SlaveDisk
  /** By name; see {@link SlaveContext.followed}. */
  #followed: string | undefined

  private constructor(options: HaSlaveOptions, ports: HaPorts, log: ReplicatedLog) {
    this.#options = options
    this.#ports = ports
    this.#log = log
    this.#metrics = slaveMetrics(ports.meter)
    const { host, port } = options.masterAddress
    this.#sparingly = new SparingLogger(ports.logger, ports.clock)
    this.#complaints = new SlaveComplaints(this.#sparingly, `${host}:${port}`)
    this.#history = new SlaveHistory(log.end, () => ports.clock.monotonic())
    this.#verification = new SlaveVerification(log, this.#history, this.#metrics.mismatches, ports)
    this.#positions = new SlavePositions(log, options.dispatched)
    this.#intake = new SlaveIntake(log, this.#metrics.receivedBytes, {
      isComparing: () => this.#state.kind === 'comparing',
      dispatch: (event) => this.#dispatch(event),
    })
    this.#confirmed = new Frontier(options.confirmed ?? 0)
    this.#timer = new DeadlineTimer(ports.clock, () => {
      this.#dispatch({ kind: 'tick' })
      this.#tellPositions()
    })
    this.#disk = this.#newDisk()
    this.#state = { kind: 'disconnected', failures: 0, retryAt: ports.clock.monotonic() }
    this.#context = {
      config: slaveConfig(options),
      view: () => viewOf(log),
      followed: () => this.#followed,
    }
    this.#link = this.#newLink()
    observeFollowing(ports.meter, this)
  }

  /** Connects at once and never gives up until {@link close}. */
  static start(options: HaSlaveOptions, ports: HaPorts, log: ReplicatedLog): HaSlave {
    const slave = new HaSlave(options, ports, log)
    slave.#dispatch({ kind: 'tick' })
    return slave
  }

  get state(): SlaveState {
    return this.#state
  }

  /** Whether log bytes flow: the handshake is over and the master was heard within the silence limit. */
  get masterConnected(): boolean {
    return this.#state.kind === 'streaming'
  }

  /**
   * The last confirmed position the master sent down. It may lie beyond our own end. After a cut on order a new
   * frontier takes its place; the old one fails with `LOG_CLOSED`.
   */
  get confirmed(): Frontier {
    return this.#confirmed
  }

  /** What this slave can say of itself and its master now. */
  following(): FollowingView {
    const { masterAddress, dispatched } = this.#options
    return followingView(this.#state, this.#history, {
      masterAddress,
      masterIdentity: this.#followed,
      end: this.#log.end,
      flushed: this.#log.flushed,
      dispatched: dispatched?.(),
      confirmed: this.#confirmed.at,
      now: this.#ports.clock.monotonic(),
    })
  }

  /** Calls `listener` whenever the state has another kind; returns how to stop. */
  onState(listener: (state: SlaveState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Stops in good order: the master counts on this slave no more, and what counts on it already is copied and reported first,
   * within {@link HaTimings.leavingMs}.
   */
  async leave(): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.onState((state) => {
        // Whatever ends the stream ends the waiting.
        if (state.kind === 'stopped') resolve()
        else if (state.kind !== 'streaming') this.close()
      })
    })
    if (this.#state.kind === 'stopped') return
    this.#dispatch({ kind: 'leave' })
    await left
  }

  /** Stops at once. */
  close(): void {
    this.#dispatch({ kind: 'stop' })
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #dispatch(event: SlaveEvent): void {
    this.#turns.take(event)
  }

  #settled(): void {
    this.#timer.arm(slaveDeadline(this.#state, this.#context))
    if (this.#state.kind === 'streaming' || this.#state.kind === 'lending') this.#link.startStream()
  }

  #step(event: SlaveEvent): void {
    const before = this.#state
    const { state, effects } = this.#stepped(before, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    if (state.kind !== before.kind) this.#onChange(before, event)
  }

  /** Reading our own log may fail in the middle of a handshake: that ends the attempt, not the slave. */
  #stepped(before: SlaveState, event: SlaveEvent): ReturnType<typeof stepSlave> {
    const now = this.#ports.clock.monotonic()
    try {
      return stepSlave(before, event, now, this.#context)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      return stepSlave(before, { kind: 'disk-failed', words: error.message }, now, this.#context)
    }
  }

  #perform(effect: SlaveEffect): void {
    switch (effect.kind) {
      case 'dial':
        return this.#dial()
      case 'say-hello':
      case 'prove':
        return this.#link.write(effect.bytes)
      case 'adopt':
        void this.#adopt(effect)
        return
      case 'cut':
        void this.#cut(effect.at, effect.isCommon)
        return
      case 'append':
        return this.#intake.append(effect.offset)
      case 'flush':
        return this.#disk.flush()
      case 'lend':
        return this.#lend(effect.at)
      case 'lend-heartbeat':
        return this.#link.lendHeartbeat()
      case 'report':
        return this.#link.write(encodeReport(effect.position))
      case 'send-control':
        return this.#link.control(effect.control)
      case 'confirm':
        return effect.position > this.#confirmed.at ? this.#confirmed.advance(effect.position) : undefined
      case 'answer-check':
        return this.#verification.asked(effect.range)
      case 'learn-mismatch':
        return this.#verification.differs(effect.range)
      case 'learn-equal':
        return this.#verification.equals(effect.range)
      case 'learn-end':
        return this.#history.learnedEnd(effect.position)
      case 'learn-roster':
        return this.#options.learnRoster?.(effect.names)
      case 'learn-forgotten':
        return this.#options.learnForgotten?.(effect.names)
      case 'asked-to-abstain':
        if (this.#options.abstain?.() === true) this.#link.control({ abstains: effect.question })
        return
      case 'hang-up':
        return this.#hangUp(effect)
      default:
        return unreachable(effect)
    }
  }

  #dial(): void {
    this.#disk = this.#newDisk()
    this.#metrics.attempts.add()
    this.#history.dials += 1
    void this.#link.dial()
  }

  #newLink(): SlaveLink {
    const { masterAddress, beforeHello } = this.#options
    return new SlaveLink({ masterAddress, beforeHello, peer: this.#context.config.peer }, this.#ports, {
      dispatch: (event) => this.#dispatch(event),
      piece: (offset, bytes) => {
        invariant(!this.#turns.isHandling, 'pieces come from the socket, never from an effect')
        this.#intake.take(offset, bytes)
      },
      caughtUp: () => {
        this.#dispatch({ kind: 'caught-up' })
        const answer = this.#verification.takeAnswer()
        if (answer !== undefined) this.#link.control(answer)
      },
    })
  }

  async #adopt({ lineage }: Extract<SlaveEffect, { kind: 'adopt' }>): Promise<void> {
    const problem = await this.#disk.adopt(lineage)
    this.#dispatch(problem === undefined ? { kind: 'adopted' } : { kind: 'disk-failed', words: problem })
  }

  async #cut(at: LogOffset, isCommon?: boolean): Promise<void> {
    const problem = await this.#disk.cut(at, isCommon)
    if (problem === undefined) {
      const old = this.#confirmed
      this.#confirmed = new Frontier(Math.min(old.at, this.#log.end))
      old.fail(new BrokerError('LOG_CLOSED', 'the log was cut on order of the master'))
    }
    this.#dispatch(problem === undefined ? { kind: 'cut-done' } : { kind: 'disk-failed', words: problem })
  }

  #lend(at: LogOffset): void {
    const facts = { from: at, to: this.#log.end }
    this.#ports.logger.warn(facts, 'the master lacks the end of its log: sending it ours')
    this.#link.lend(at, this.#log)
  }

  #newDisk(): SlaveDisk {
    const disk: SlaveDisk = new SlaveDisk(this.#log, {
      flushed: (position) => {
        if (disk === this.#disk) this.#dispatch({ kind: 'flushed', position })
      },
      failed: (words) => {
        if (disk === this.#disk) this.#dispatch({ kind: 'append-failed', words })
      },
    })
    return disk
  }

  #hangUp({ refusal, manner }: Extract<SlaveEffect, { kind: 'hang-up' }>): void {
    this.#metrics.troubles.add(1, { reason: this.#history.trouble(refusal) })
    this.#link.hangUp(refusal.words, manner)
  }

  #onChange(before: SlaveState, event: SlaveEvent): void {
    const { logger } = this.#ports
    const state = this.#state
    logger.debug({ from: before.kind, event: event.kind, to: state.kind }, 'HA slave')
    if (state.kind === 'proving') {
      warnOfClockAhead(this.#sparingly, { identity: state.masterIdentity }, state.aheadMs)
    } else if (state.kind === 'streaming') {
      const { masterIdentity, next, flushFirst, counted } = state
      this.#followed = masterIdentity ?? this.#followed
      this.#history.connects += 1
      const facts = { master: masterIdentity, offset: next, flushFirst, counted }
      this.#sparingly.info(facts, 'following the master')
      this.#complaints.following()
      this.#tellPositions(true)
    } else if ('trouble' in state && state.trouble !== undefined) {
      this.#complaints.trouble(state.trouble, state.failures)
    }
    for (const listener of this.#listeners) listener(state)
  }

  /** What the master shows of us, at most once a heartbeat and only if it has changed. */
  #tellPositions(isNew = false): void {
    if (this.#state.kind !== 'streaming' || this.#context.config.peer === 'apache') return
    const news = this.#positions.news(isNew)
    if (news !== undefined) this.#link.control(news)
  }
}
