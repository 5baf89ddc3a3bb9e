import type { QueueOffset } from '@tandemmq/base'
import type { ProgressTable } from './progress-table.ts'
import type { QueueProgress } from './queue-progress.ts'

/** Where Apache's broker keeps timer messages until they are due: queue 0 of this topic. */
export const TIMER_TOPIC = 'rmq_sys_wheel_timer'
export const TIMER_QUEUE = 0

/** The progress on the timer queue is that of this internal group, so that merge, generations and cuts are the same as for any other. */
export const DELAY_GROUP = 'CID_TMQ_TIMER'
export const DELAY_KEY = { group: DELAY_GROUP, topic: TIMER_TOPIC, queueId: TIMER_QUEUE } as const

/**
 * Which scheduled messages were put into their real topics, and what groups had done with those that they were given before that (rule 5.6): that is
 * progress on the timer queue, as on any other.
 */
export class DelayProgress {
  readonly #progress: ProgressTable
  readonly #levels = new Map<number, QueueOffset>()

  constructor(progress: ProgressTable) {
    this.#progress = progress
  }

  /** The first offset of the timer queue that is not done. */
  get floor(): QueueOffset {
    return this.#timer.floor
  }

  isDone(timerQueueOffset: QueueOffset): boolean {
    return this.#timer.isAcked(timerQueueOffset)
  }

  /** The first offset ≥ `from` that is not done. */
  nextUndone(from: QueueOffset): QueueOffset {
    return this.#timer.firstUnacked(from)
  }

  /** Apache's own delay levels (1…18): level, next queue offset. We do not use them, and keep them. */
  get levels(): ReadonlyMap<number, QueueOffset> {
    return this.#levels
  }

  /** For the owner: merged by maximum; false if nothing changed. */
  raiseLevels(levels: readonly (readonly [number, QueueOffset])[]): boolean {
    let changed = false
    for (const [level, offset] of levels) {
      if (offset <= (this.#levels.get(level) ?? -1)) continue
      this.#levels.set(level, offset)
      changed = true
    }
    return changed
  }

  /** The progress of each group that was given scheduled records. */
  *served(): Generator<QueueProgress> {
    for (const queue of this.#progress.ofTopic(TIMER_TOPIC)) {
      if (queue.group !== DELAY_GROUP && queue.queueId === TIMER_QUEUE) yield queue
    }
  }

  /** Those in `[from, end)` that are done, while some group's progress on them was not moved to the record that was put. */
  unmoved(from: QueueOffset, end: QueueOffset): ReadonlySet<QueueOffset> {
    const found = new Set<QueueOffset>()
    for (const queue of this.served()) {
      for (const offset of queue.known(from, end)) if (this.isDone(offset)) found.add(offset)
    }
    return found
  }

  get #timer(): QueueProgress {
    return this.#progress.queue(DELAY_GROUP, TIMER_TOPIC, TIMER_QUEUE)
  }
}
