import {
  BrokerError,
  messageOf,
  type Clock,
  type LogOffset,
  type Logger,
  type QueueOffset,
} from '@tandemmq/base'
import { Alarm } from './alarm.ts'
import type { Catalog } from './catalog.ts'
import type { ProgressBook } from './progress-book.ts'
import type { DueTimers } from './due-timers.ts'
import { DueWindow, type DueEntry } from './due-window.ts'
import type { InternalWriting } from './durability.ts'
import type { Arrival, MessageLog, RecordPlace } from './message-log.ts'
import type { MessageMetrics } from './message-metrics.ts'
import { expiredBelow } from './expired-progress.ts'
import { readableRecord } from './readable-record.ts'
import { reputRecord } from './reput-record.ts'
import { ReputSearch, type Reput } from './reput-search.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC, dueTimeOf, targetOf, type ScheduledMark } from './timer-record.ts'

/** Scheduled messages in memory; the rest waits on disk. */
const WINDOW_MAX = 100_000
/** Re-put, but not yet known to be visible: beyond this many, the next ones wait. */
const UNSETTLED_MAX = 10_000
/** Handed out from the timer queue since this slave serves: beyond this many, the next ones wait for the master. */
const OFFERED_MAX = 200_000
/** The wall clock may be set forwards; it is looked at again at least this often while something waits. */
const LOOK_AGAIN_MS = 60_000
/** After a failed write. */
const PAUSE_MS = 1000
/** Messages put in one turn of the event loop. */
const TURN_MAX = 1000
/** Messages read together. */
const TOGETHER = 32
/** So often, if nothing had to be waited for, before others have a turn. */
const TURNS_MAX = 32

export interface TimerServiceParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly writing: InternalWriting
  readonly metrics: MessageMetrics
  readonly clock: Clock
  readonly logger: Logger
  /** A former run had put this message into its topic already. */
  readonly found: (reput: Reput) => void
  /** Where due messages go that are handed out from the timer queue. */
  readonly dueTimers: DueTimers
  /** More messages of this topic are there. */
  readonly offered: (topic: string) => void
}

/** What becomes of messages that are due: a master puts them into their topics, a slave that serves offers them where they are (rule 5.6). */
export type TimerDuty = 'put' | 'offer'

/** Waiting for the log's tail to be dispatched; then reading the timer queue from the first message that is not done. */
interface Reading {
  readonly kind: 'reading'
  readonly stop: AbortController
  next: QueueOffset
  readonly search: ReputSearch | undefined
}

/** `isWarming`: the next due messages are on disk, and being read. */
interface Running {
  readonly kind: 'running'
  isWarming: boolean
  /** Where those lie that were read since. */
  readonly warm: Set<LogOffset>
}

type State = { readonly kind: 'stopped' } | Reading | Running

/**
 * Puts scheduled messages into their topics when they are due, on the master only: once each, never early. Which ones are done is decided
 * by the dispatch of what was put (see InternalMarks), so nothing is put before the log's tail has been dispatched. A slave that serves writes nothing: it lists what is due.
 */
export class TimerService {
  readonly #parts: TimerServiceParts
  readonly #window: DueWindow
  readonly #alarm: Alarm
  /** Put into their topics or offered in this run (or never to be put), and not yet done. */
  readonly #unsettled = new Set<QueueOffset>()
  #state: State = { kind: 'stopped' }
  #duty: TimerDuty = 'put'
  #pausedUntil = -Infinity

  constructor(parts: TimerServiceParts, windowMax = WINDOW_MAX) {
    this.#parts = parts
    this.#window = new DueWindow(windowMax)
    this.#alarm = new Alarm(parts.clock, () => this.#ring())
  }

  /** Scheduled messages in memory. */
  get waiting(): number {
    return this.#window.size
  }

  /** False if it had that duty already. */
  start(duty: TimerDuty): boolean {
    if (this.#state.kind !== 'stopped' && this.#duty === duty) return false
    this.stop()
    this.#duty = duty
    const stop = new AbortController()
    const { log, logger } = this.#parts
    const search = new ReputSearch(log, logger)
    this.#read(stop, search, log.dispatched.reached(log.end, stop.signal))
    return true
  }

  stop(): void {
    if (this.#state.kind === 'reading') this.#state.stop.abort()
    this.#state = { kind: 'stopped' }
    this.#alarm.setFor(undefined)
    this.#window.clear()
    this.#unsettled.clear()
    this.#parts.dueTimers.clear()
  }

  /** Every dispatched record comes by. */
  arrived({ topic, queueOffset, offset, size, properties }: Arrival): void {
    // While reading, what has not been read yet will be.
    if (topic !== TIMER_TOPIC || this.#state.kind !== 'running') return
    this.#window.add({
      due: dueTimeOf(properties),
      queueOffset,
      offset,
      size,
      topic: this.#topicOf(properties),
    })
    this.#arm()
  }

  /** It is in its topic, and visible there. */
  done({ queueOffset }: ScheduledMark): void {
    this.#unsettled.delete(queueOffset)
    if (this.#state.kind === 'running') this.#arm()
  }

  #read(stop: AbortController, search: ReputSearch | undefined, ready: Promise<void>): void {
    const { book, logger } = this.#parts
    this.#window.clear()
    const state: Reading = { kind: 'reading', stop, next: book.delay.floor, search }
    this.#state = state
    const reading = async (): Promise<void> => {
      await ready
      if (this.#state === state) await this.#readOn(state)
    }
    reading().catch((cause: unknown) => {
      if (!stop.signal.aborted) logger.error({ why: messageOf(cause) }, 'scheduled messages cannot be read')
    })
  }

  async #readOn(state: Reading): Promise<void> {
    for (let { search } = state; ; search = undefined) {
      await this.#readQueue(state)
      if (this.#state !== state) return
      // What has arrived in the meantime was not taken from its arrival.
      if (search === undefined && this.#isAtEnd(state)) break
      if (search === undefined) continue
      for await (const reput of search.results(() => this.#pause())) {
        if (this.#state !== state) return
        const { queueOffset } = reput.mark
        if (this.#parts.book.delay.isDone(queueOffset)) continue
        if (this.#duty === 'put') this.#unsettled.add(queueOffset)
        this.#parts.found(reput)
      }
    }
    this.#state = { kind: 'running', isWarming: false, warm: new Set() }
    this.#arm()
  }

  #isAtEnd({ next }: Reading): boolean {
    return next >= (this.#parts.log.queue(TIMER_TOPIC, TIMER_QUEUE_ID)?.maxOffset ?? 0)
  }

  async #readQueue(state: Reading): Promise<void> {
    const { log, book, writing } = this.#parts
    for (let turn = 1; this.#state === state; turn += 1) {
      const queue = log.queue(TIMER_TOPIC, TIMER_QUEUE_ID)
      const first = queue?.minOffset ?? 0
      if (writing.allowed && book.delay.floor < first) {
        book.commit({ kind: 'delay', done: [expiredBelow(log, book.delay.floor, first)] })
      }
      state.next = Math.max(state.next, first)
      if (queue === undefined || state.next >= queue.maxOffset) return
      const units = queue.units(state.next, TOGETHER)
      const warm = await warmed(log, units)
      if (turn % TURNS_MAX === 0) await this.#pause()
      if (this.#state !== state) return
      const from = state.next
      state.next = from + Math.max(1, units.length)
      for (const [index, unit] of units.entries()) {
        if (unit === undefined) continue
        this.#add(from + index, unit, state)
        if (warm.has(unit.offset)) continue
        state.next = from + index + 1 // The rest is read next.
        break
      }
    }
  }

  #add(queueOffset: QueueOffset, unit: RecordPlace, { search }: Reading): void {
    const { log, book, clock, logger } = this.#parts
    if (book.delay.isDone(queueOffset) || this.#unsettled.has(queueOffset)) return
    const properties = readableRecord(log, unit, logger)?.properties
    if (properties === undefined) return // Not done, so it holds the floor: it is not lost if the bytes come back.
    const due = dueTimeOf(properties)
    const { offset, size } = unit
    this.#window.add({ due, queueOffset, offset, size, topic: this.#topicOf(properties) })
    const target = targetOf(properties)
    if (due <= clock.now() && target) search?.expect(target, due)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(0, resolve)
    })
  }

  #topicOf(properties: string): string | undefined {
    return this.#duty === 'offer' ? targetOf(properties)?.topic : undefined
  }

  #offer(): void {
    const { book, clock, logger, dueTimers, offered } = this.#parts
    const topics = new Set<string>()
    for (let count = 0; count < TURN_MAX && this.#unsettled.size < OFFERED_MAX; count += 1) {
      if ((this.#window.first()?.due ?? Infinity) > clock.now()) break
      const { queueOffset, topic } = this.#window.take() ?? {}
      if (queueOffset === undefined || topic === undefined) continue
      if (book.delay.isDone(queueOffset) || this.#unsettled.has(queueOffset)) continue
      this.#unsettled.add(queueOffset)
      dueTimers.add(topic, queueOffset)
      topics.add(topic)
    }
    if (this.#unsettled.size >= OFFERED_MAX && topics.size > 0) {
      logger.warn(
        { count: OFFERED_MAX },
        'so many scheduled messages were due while this slave serves: the next ones wait for the master',
      )
    }
    this.#arm()
    for (const topic of topics) offered(topic)
  }

  #ring(): void {
    const { log, clock, writing } = this.#parts
    if (this.#duty === 'offer') return this.#offer()
    const state = this.#state
    if (state.kind !== 'running' || state.isWarming) return
    if (!writing.allowed) this.#pausedUntil = clock.monotonic() + PAUSE_MS
    for (let count = 0; count < TURN_MAX && this.#mayPut(); count += 1) {
      const entry = this.#window.first()
      if (entry === undefined || entry.due > clock.now()) break
      if (!log.isInMemory(entry) && !state.warm.has(entry.offset)) {
        void this.#warm(state)
        return
      }
      this.#window.take()
      this.#put(entry)
    }
    state.warm.clear()
    this.#arm()
  }

  /** Most messages have left the log's memory when they are due: they are read off the loop, many together. */
  async #warm(state: Running): Promise<void> {
    const { log, clock } = this.#parts
    const due: DueEntry[] = []
    while (due.length < TOGETHER && (this.#window.first()?.due ?? Infinity) <= clock.now()) {
      const entry = this.#window.take()
      if (entry !== undefined) due.push(entry)
    }
    for (const entry of due) this.#window.add(entry)
    state.isWarming = true
    for (const offset of await warmed(log, due)) state.warm.add(offset)
    state.isWarming = false
    if (this.#state === state) this.#ring()
  }

  #drop({ queueOffset, offset }: DueEntry, facts: { readonly topic?: string }, why: string): void {
    const { log, book, logger } = this.#parts
    logger.warn({ queueOffset, ...facts }, why)
    const stamp = { logEpoch: log.epochAt(offset), physicalOffset: offset }
    book.commit({ kind: 'moved', from: queueOffset, to: queueOffset + 1 })
    book.commit({ kind: 'delay', done: [{ queueOffset, stamp }] })
    this.#unsettled.delete(queueOffset)
  }

  #mayPut(): boolean {
    const { writing, clock } = this.#parts
    return writing.allowed && this.#unsettled.size < UNSETTLED_MAX && clock.monotonic() >= this.#pausedUntil
  }

  #put(entry: DueEntry): void {
    const { log, book, metrics, logger, catalog, clock } = this.#parts
    const { queueOffset } = entry
    if (book.delay.isDone(queueOffset) || this.#unsettled.has(queueOffset)) return
    this.#unsettled.add(queueOffset)
    try {
      if (entry.offset < log.minOffset) {
        return this.#drop(entry, {}, 'a scheduled message has expired before it was due and is dropped')
      }
      const record = readableRecord(log, entry, logger)
      if (record === undefined) return
      const target = targetOf(record.properties)
      if (target === undefined || catalog.topic(target.topic) === undefined) {
        const { topic = '' } = target ?? {}
        return this.#drop(entry, { topic }, 'a scheduled message has no topic any more and is dropped')
      }
      log.append(reputRecord(record, target, queueOffset, clock.now()))
      metrics.timerDelivered(target.topic)
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause
      logger.error(
        { queueOffset, code: cause.code, why: cause.message },
        'a scheduled message could not be put into its topic',
      )
      if (cause.code === 'MESSAGE_ILLEGAL') return // It stays on disk, and in the way of nothing.
      this.#unsettled.delete(queueOffset)
      this.#window.add(entry)
      this.#pausedUntil = clock.monotonic() + PAUSE_MS
    }
  }

  #arm(): void {
    const { clock, log } = this.#parts
    const first = this.#window.first()
    if (first === undefined && this.#window.horizon < Infinity) {
      // All that fitted into memory has been put: read on from the disk.
      const stop = new AbortController()
      this.#read(stop, undefined, log.dispatched.reached(0, stop.signal))
      return
    }
    if (
      first === undefined ||
      this.#unsettled.size >= (this.#duty === 'offer' ? OFFERED_MAX : UNSETTLED_MAX)
    ) {
      this.#alarm.setFor(undefined)
      return
    }
    const now = clock.monotonic()
    const wait = Math.min(LOOK_AGAIN_MS, Math.max(0, first.due - clock.now()))
    this.#alarm.setFor(Math.max(now + wait, this.#pausedUntil))
  }
}

/** Brings records into memory; where those lie that were tried. */
async function warmed(
  log: MessageLog,
  places: readonly (RecordPlace | undefined)[],
): Promise<ReadonlySet<LogOffset>> {
  const tried = await log.warm(places.filter((place) => place !== undefined))
  return new Set(tried.map(({ offset }) => offset))
}
