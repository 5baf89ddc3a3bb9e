import type { LogOffset, Logger, QueueOffset } from '@tandemmq/base'
import type { ConsumeQueueUnit } from '@tandemmq/codec'
import type { QueuePlace } from './progress-book.ts'
import type { MessageLog, QueueView } from './message-log.ts'
import { readableRecord } from './readable-record.ts'
import { scheduledMarkOf, type ScheduledMark } from './timer-record.ts'

/** No queue is searched further back than this. */
const LOOK_BACK_MAX = 50_000
/** Records looked at together. */
const TOGETHER = 32

interface Target {
  readonly topic: string
  readonly queueId: number
}

/** A re-put record that is in the log. */
export interface Reput {
  readonly mark: ScheduledMark
  readonly place: QueuePlace
  readonly end: LogOffset
}

/**
 * Looks for scheduled messages that a former run put into their topics just before it ended, so that they are not put there twice even
 * if the last moments of the journal were lost. What was due at some time can only have been put there later, so each queue is read
 * backwards, no further than to that time.
 */
export class ReputSearch {
  readonly #log: MessageLog
  readonly #logger: Logger
  /** By target: the earliest due time, ms. */
  readonly #targets = new Map<string, Target & { since: number }>()

  constructor(log: MessageLog, logger: Logger) {
    this.#log = log
    this.#logger = logger
  }

  /** A message that was due at `due` and is not known to be delivered. */
  expect({ topic, queueId }: Target, due: number): void {
    const key = `${queueId}@${topic}`
    const known = this.#targets.get(key)
    if (known) known.since = Math.min(known.since, due)
    else this.#targets.set(key, { topic, queueId, since: due })
  }

  /** Reads off the event loop; `pause` gives others their turn between steps. */
  async *results(pause: () => Promise<void>): AsyncIterable<Reput> {
    for (const target of this.#targets.values()) {
      const queue = this.#log.queue(target.topic, target.queueId)
      if (queue === undefined) continue
      const end = Math.max(queue.minOffset, queue.maxOffset - LOOK_BACK_MAX)
      for (let behind = queue.maxOffset; behind > end; behind -= TOGETHER) {
        const units = unitsBetween(queue, Math.max(end, behind - TOGETHER), behind)
        await this.#log.warm(units.filter((unit) => unit !== undefined))
        const { found, isOver } = this.#look(units.toReversed(), behind, target)
        yield* found
        if (isOver) break
        await pause()
      }
    }
  }

  /** `units` go backwards from `behind`. `isOver`: what lies further back was there before. */
  #look(
    units: readonly (ConsumeQueueUnit | undefined)[],
    behind: QueueOffset,
    { topic, queueId, since }: Target & { readonly since: number },
  ): { readonly found: readonly Reput[]; readonly isOver: boolean } {
    const found: Reput[] = []
    for (const [index, unit] of units.entries()) {
      if (unit === undefined) return { found, isOver: true }
      const record = readableRecord(this.#log, unit, this.#logger)
      if (record === undefined) continue
      if (record.storeTimestamp < since) return { found, isOver: true }
      const mark = scheduledMarkOf(record.properties)
      if (mark === undefined) continue
      const stamp = { logEpoch: this.#log.epochAt(unit.offset), physicalOffset: unit.offset }
      const place = { topic, queueId, queueOffset: behind - 1 - index, stamp }
      found.push({ mark, place, end: unit.offset + unit.size })
    }
    return { found, isOver: false }
  }
}

/** Those of the positions [from, to), `undefined` where there is none: one read may give fewer than there are. */
function unitsBetween(
  queue: QueueView,
  from: QueueOffset,
  to: QueueOffset,
): readonly (ConsumeQueueUnit | undefined)[] {
  const units: (ConsumeQueueUnit | undefined)[] = []
  while (units.length < to - from) {
    const some = queue.units(from + units.length, to - from - units.length)
    units.push(...(some.length > 0 ? some : [undefined]))
  }
  return units
}
