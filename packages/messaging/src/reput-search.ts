import type { LogOffset, Logger } from '@tandemmq/base'
import type { RecordStamp } from '@tandemmq/codec'
import type { MessageLog } from './message-log.ts'
import { readableRecord } from './readable-record.ts'
import { scheduledMarkOf, type ScheduledMark } from './timer-record.ts'

/** No queue is searched further back than this. */
const LOOK_BACK_MAX = 50_000

interface Target {
  readonly topic: string
  readonly queueId: number
}

/** A re-put record that is in the log. */
export interface Reput {
  readonly mark: ScheduledMark
  readonly write: RecordStamp
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

  *results(): Iterable<Reput> {
    for (const { topic, queueId, since } of this.#targets.values()) {
      const queue = this.#log.queue(topic, queueId)
      if (queue === undefined) continue
      const end = Math.max(queue.minOffset, queue.maxOffset - LOOK_BACK_MAX)
      for (let offset = queue.maxOffset - 1; offset >= end; offset -= 1) {
        const unit = queue.unit(offset)
        if (unit === undefined) break
        const record = readableRecord(this.#log, unit, this.#logger)
        if (record === undefined) continue
        if (record.storeTimestamp < since) break
        const mark = scheduledMarkOf(record.properties)
        if (mark === undefined) continue
        const write = { logEpoch: this.#log.epochAt(unit.offset), physicalOffset: unit.offset }
        yield { mark, write, end: unit.offset + unit.size }
      }
    }
  }
}
