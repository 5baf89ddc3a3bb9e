import { BrokerError, type Clock, type LogOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import { Alarm } from './alarm.ts'
import type { MessageLog, VisibleEnd } from './message-log.ts'

/** After an effect that could not be written down, because the disk is full for instance. */
const PAUSE_MS = 1000

interface Effect {
  /** One past the write's last byte. */
  readonly end: LogOffset
  /** The write itself. */
  readonly write: RecordStamp
  readonly apply: () => void
}

/**
 * What internal writes settle (rule 5.5): it takes effect once the write is visible, on each machine by itself, and not at all
 * if the log was cut below it before. Bounded by whoever writes: see {@link size}.
 */
export class InternalEffects {
  readonly #log: MessageLog
  readonly #visible: VisibleEnd
  readonly #clock: Clock
  readonly #alarm: Alarm
  readonly #stop: () => void
  /** In the order of the log. */
  #waiting: Effect[] = []

  constructor(log: MessageLog, visible: VisibleEnd, clock: Clock) {
    this.#log = log
    this.#visible = visible
    this.#clock = clock
    this.#alarm = new Alarm(clock, () => this.#settle(this.#visible.at))
    this.#stop = visible.onAdvance((at) => this.#settle(at))
  }

  get size(): number {
    return this.#waiting.length
  }

  /** `apply` takes effect at most once: now, or when `write` becomes visible. If it throws a `BrokerError`, it is tried again. */
  when(write: RecordStamp, end: LogOffset, apply: () => void): void {
    // A write that was found late lies before those that wait to be seen.
    const at = this.#waiting.findLastIndex((effect) => effect.end <= end) + 1
    this.#waiting.splice(at, 0, { end, write, apply })
    if (end <= this.#visible.at && at === 0) this.#settle(this.#visible.at)
  }

  close(): void {
    this.#stop()
    this.#alarm.setFor(undefined)
    this.#waiting = []
  }

  #settle(at: LogOffset): void {
    const first = this.#waiting.findIndex((effect) => effect.end > at)
    const due = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first)
    for (const [index, { write, apply }] of due.entries()) {
      if (this.#log.epochAt(write.physicalOffset) !== write.logEpoch) continue
      try {
        apply()
      } catch (cause) {
        // It is heard of where the log moves on: nobody there can do anything about the journal.
        if (!(cause instanceof BrokerError)) throw cause
        this.#waiting.unshift(...due.slice(index))
        this.#alarm.setFor(this.#clock.monotonic() + PAUSE_MS)
        return
      }
    }
  }
}
