import {
  BrokerError,
  messageOf,
  type Clock,
  type LogOffset,
  type Logger,
  type QueueOffset,
} from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import { Alarm } from './alarm.ts'
import type { Catalog } from './catalog.ts'
import type { ProgressBook } from './consumer-progress.ts'
import { DueWindow, type DueEntry } from './due-window.ts'
import type { InternalWriting } from './durability.ts'
import type { Arrival, MessageLog } from './message-log.ts'
import type { MessageMetrics } from './message-metrics.ts'
import { expiredBelow } from './expired-progress.ts'
import { readableRecord } from './readable-record.ts'
import { reputRecord } from './reput-record.ts'
import { ReputSearch } from './reput-search.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC, dueTimeOf, targetOf, type ScheduledMark } from './timer-record.ts'

/** Scheduled messages in memory; the rest waits on disk. */
const WINDOW_MAX = 100_000
/** Re-put, but not yet known to be visible: beyond this many, the next ones wait. */
const UNSETTLED_MAX = 10_000
/** The wall clock may be set forwards; it is looked at again at least this often while something waits. */
const LOOK_AGAIN_MS = 60_000
/** After a failed write. */
const PAUSE_MS = 1000
/** Queue units read, or messages put, in one turn of the event loop. */
const TURN_MAX = 1000

export interface TimerServiceParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly catalog: Catalog
  readonly writing: InternalWriting
  readonly metrics: MessageMetrics
  readonly clock: Clock
  readonly logger: Logger
  /** A former run had put this message into its topic already. */
  readonly found: (mark: ScheduledMark, write: RecordStamp, end: LogOffset) => void
}

type State =
  | { readonly kind: 'stopped' }
  /** Waiting for the log's tail to be dispatched; then reading the timer queue from the first message that is not done. */
  | {
      readonly kind: 'reading'
      readonly stop: AbortController
      next: QueueOffset
      search: ReputSearch | undefined
    }
  | { readonly kind: 'running' }

/**
 * Puts scheduled messages into their topics when they are due, on the master only: once each, never early. Which ones are done is decided
 * by the dispatch of what was put (see InternalMarks), so nothing is put before the log's tail has been dispatched.
 */
export class TimerService {
  readonly #parts: TimerServiceParts
  readonly #window: DueWindow
  readonly #alarm: Alarm
  /** Put into their topics in this run (or never to be put), and not yet done. */
  readonly #unsettled = new Set<QueueOffset>()
  #state: State = { kind: 'stopped' }
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

  start(): void {
    if (this.#state.kind !== 'stopped') return
    const stop = new AbortController()
    const { log, logger } = this.#parts
    const search = new ReputSearch(log, logger)
    this.#read(stop, search, log.dispatched.reached(log.end, stop.signal)).catch((cause: unknown) => {
      if (!stop.signal.aborted) logger.error({ why: messageOf(cause) }, 'scheduled messages cannot be read')
    })
  }

  stop(): void {
    if (this.#state.kind === 'reading') this.#state.stop.abort()
    this.#state = { kind: 'stopped' }
    this.#alarm.setFor(undefined)
    this.#window.clear()
    this.#unsettled.clear()
  }

  /** Every dispatched record comes by. */
  arrived({ topic, queueOffset, offset, size, properties }: Arrival): void {
    // While reading, what has not been read yet will be.
    if (topic !== TIMER_TOPIC || this.#state.kind !== 'running') return
    this.#window.add({ due: dueTimeOf(properties), queueOffset, offset, size })
    this.#arm()
  }

  /** It is in its topic, and visible there. */
  done({ queueOffset }: ScheduledMark): void {
    this.#unsettled.delete(queueOffset)
    if (this.#state.kind === 'running') this.#arm()
  }

  async #read(stop: AbortController, search: ReputSearch | undefined, ready: Promise<void>): Promise<void> {
    this.#window.clear()
    this.#state = { kind: 'reading', stop, next: this.#parts.book.delay.floor, search }
    await ready
    if (!stop.signal.aborted) this.#readOn()
  }

  #readOn(): void {
    const state = this.#state
    if (state.kind !== 'reading') return
    const { log, book, clock, logger, writing } = this.#parts
    const queue = log.queue(TIMER_TOPIC, TIMER_QUEUE_ID)
    const end = queue?.maxOffset ?? 0
    const first = queue?.minOffset ?? 0
    if (writing.allowed && book.delay.floor < first) {
      book.commit({ kind: 'delay', done: [expiredBelow(log, book.delay.floor, first)] })
    }
    state.next = Math.max(state.next, first)
    for (let count = 0; state.next < end && count < TURN_MAX; count += 1) {
      const queueOffset = state.next
      state.next += 1
      const unit = queue?.unit(queueOffset)
      if (unit === undefined || book.delay.isDone(queueOffset) || this.#unsettled.has(queueOffset)) continue
      const properties = readableRecord(log, unit, logger)?.properties
      if (properties === undefined) continue // Not done, so it holds the floor: it is not lost if the bytes come back.
      const due = dueTimeOf(properties)
      this.#window.add({ due, queueOffset, offset: unit.offset, size: unit.size })
      const target = targetOf(properties)
      if (due <= clock.now() && target) state.search?.expect(target, due)
    }
    if (state.next < end) {
      clock.after(0, () => this.#readOn())
      return
    }
    this.#state = { kind: 'running' }
    for (const { mark, write, end: writeEnd } of state.search?.results() ?? []) {
      if (book.delay.isDone(mark.queueOffset)) continue
      this.#unsettled.add(mark.queueOffset)
      this.#parts.found(mark, write, writeEnd)
    }
    this.#arm()
  }

  #ring(): void {
    const { clock, writing } = this.#parts
    if (this.#state.kind !== 'running') return
    if (!writing.allowed) this.#pausedUntil = clock.monotonic() + PAUSE_MS
    for (let count = 0; count < TURN_MAX && this.#mayPut(); count += 1) {
      const entry = this.#window.first()
      if (entry === undefined || entry.due > clock.now()) break
      this.#window.take()
      this.#put(entry)
    }
    this.#arm()
  }

  #drop({ queueOffset, offset }: DueEntry, facts: { readonly topic?: string }, why: string): void {
    const { log, book, logger } = this.#parts
    logger.warn({ queueOffset, ...facts }, why)
    const stamp = { logEpoch: log.epochAt(offset), physicalOffset: offset }
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
      void this.#read(stop, undefined, log.dispatched.reached(0, stop.signal))
      return
    }
    if (first === undefined || this.#unsettled.size >= UNSETTLED_MAX) {
      this.#alarm.setFor(undefined)
      return
    }
    const now = clock.monotonic()
    const wait = Math.min(LOOK_AGAIN_MS, Math.max(0, first.due - clock.now()))
    this.#alarm.setFor(Math.max(now + wait, this.#pausedUntil))
  }
}
