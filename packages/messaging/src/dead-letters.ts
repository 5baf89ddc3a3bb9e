import {
  BrokerError,
  messageOf,
  type Clock,
  type LogOffset,
  type Logger,
  type QueueOffset,
} from '@tandemmq/base'
import type { LogRecord, RecordStamp } from '@tandemmq/codec'
import type { Catalog } from './catalog.ts'
import {
  DEAD_LETTER_PREFIX,
  deadLetterMark,
  deadLetterMarkOf,
  deadLetterRecord,
  type DeadLetterMark,
} from './dead-letter-record.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { InternalWriting } from './durability.ts'
import type { MessageLog } from './message-log.ts'
import type { MessageMetrics } from './message-metrics.ts'
import { readableRecord } from './readable-record.ts'

/** After a failed copy nothing is tried for so long. */
const PAUSE_MS = 10_000
/** How many of a group's newest dead letters are looked through, once, for copies made before a restart. */
const LOOK_BACK_MAX = 1024

export interface DeadLettersParts {
  readonly log: MessageLog
  readonly catalog: Catalog
  readonly writing: InternalWriting
  readonly metrics: MessageMetrics
  readonly clock: Clock
  readonly logger: Logger
  /** A copy lies in the log: `mark` names its original, `write` the copy, which ends at `end`. */
  readonly copied: (group: string, mark: DeadLetterMark, write: RecordStamp, end: LogOffset) => void
}

interface Place {
  readonly write: RecordStamp
  readonly end: LogOffset
}

/** What of a message is needed to move it. */
export interface Dead {
  readonly queueOffset: QueueOffset
  readonly record: LogRecord
}

/**
 * Moves messages to `%DLQ%<group>`. The copy names its original; whoever dispatches the copy acknowledges the original for the group, on
 * each machine, once the copy is visible (rule 5.5). Until then the original is set aside.
 */
export class DeadLetters {
  readonly #parts: DeadLettersParts
  #pausedUntil = -Infinity
  /** Where the copies found at first use lie, by group and mark. */
  readonly #found = new Map<string, ReadonlyMap<string, Place>>()

  constructor(parts: DeadLettersParts) {
    this.#parts = parts
  }

  /** Only a master writes, and not while writing fails. Elsewhere a dead message stays where it is. */
  get canMove(): boolean {
    return this.#parts.writing.allowed && this.#parts.clock.monotonic() >= this.#pausedUntil
  }

  /** As {@link copy}; what fails is reported and tried again later. */
  move(queue: DeliveryQueue, dead: Dead, deliveries: number): void {
    try {
      this.copy(queue, dead, deliveries)
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause
      this.#pausedUntil = this.#parts.clock.monotonic() + PAUSE_MS
      this.#parts.logger.warn(
        { group: queue.group, topic: queue.topic, why: messageOf(cause) },
        'a message could not be moved to the dead letters; it is tried again later',
      )
    }
  }

  /** Appends the copy, unless there is one. Throws `UNAVAILABLE` where nothing may be written, or what `append` throws. */
  copy(queue: DeliveryQueue, { queueOffset, record }: Dead, deliveries: number): void {
    if (queue.aside.has(queueOffset)) return
    const { log, catalog, writing, metrics, copied } = this.#parts
    const { group } = queue
    const isPossible = writing.allowed && catalog.deadLetterTopic(group) !== undefined
    if (!isPossible)
      throw new BrokerError('UNAVAILABLE', 'dead letters cannot be written here now', { facts: { group } })
    const mark = {
      topic: record.topic,
      queueId: record.queueId,
      queueOffset,
      physicalOffset: record.physicalOffset,
    }
    queue.aside.add(queueOffset)
    const former = this.#copiesOf(group).get(deadLetterMark(mark))
    if (former) {
      copied(group, mark, former.write, former.end)
      return
    }
    try {
      log.append(deadLetterRecord(group, record, queueOffset, deliveries))
    } catch (cause) {
      queue.aside.delete(queueOffset)
      throw cause
    }
    metrics.deadLettered(record.topic, group)
  }

  /** Copies of a former process whose effect may have been lost with the last moments of its journal. */
  #copiesOf(group: string): ReadonlyMap<string, Place> {
    const known = this.#found.get(group)
    if (known) return known
    const copies = new Map<string, Place>()
    const { log, logger } = this.#parts
    const queue = log.queue(DEAD_LETTER_PREFIX + group, 0)
    if (queue) {
      const from = Math.max(queue.minOffset, queue.maxOffset - LOOK_BACK_MAX)
      for (let offset = from; offset < queue.maxOffset; offset += 1) {
        const unit = queue.unit(offset)
        const record = unit && readableRecord(log, unit, logger)
        const mark = record && deadLetterMarkOf(record.properties)
        if (!unit || !mark) continue
        const write = { logEpoch: log.epochAt(unit.offset), physicalOffset: unit.offset }
        copies.set(deadLetterMark(mark), { write, end: unit.offset + unit.size })
      }
    }
    this.#found.set(group, copies)
    return copies
  }
}
