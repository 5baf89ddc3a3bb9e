import type { LogOffset } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { MessageLog, VisibleEnd } from './message-log.ts'

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
  readonly #stop: () => void
  /** In the order of the log. */
  #waiting: Effect[] = []

  constructor(log: MessageLog, visible: VisibleEnd) {
    this.#log = log
    this.#visible = visible
    this.#stop = visible.onAdvance((at) => this.#settle(at))
  }

  get size(): number {
    return this.#waiting.length
  }

  /** `apply` runs at most once: now, or when `write` becomes visible. */
  when(write: RecordStamp, end: LogOffset, apply: () => void): void {
    if (end <= this.#visible.at && this.#waiting.length === 0) apply()
    else this.#waiting.push({ end, write, apply })
  }

  close(): void {
    this.#stop()
    this.#waiting = []
  }

  #settle(at: LogOffset): void {
    const first = this.#waiting.findIndex((effect) => effect.end > at)
    for (const { write, apply } of this.#waiting.splice(0, first === -1 ? this.#waiting.length : first)) {
      if (this.#log.epochAt(write.physicalOffset) === write.logEpoch) apply()
    }
  }
}
