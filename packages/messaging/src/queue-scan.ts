import type { Clock, LogOffset, Logger, QueueOffset } from '@tandemmq/base'
import { decodeProperties, type ConsumeQueueUnit, type RecordStamp } from '@tandemmq/codec'
import type { Candidate } from './candidate.ts'
import type { ProgressBook, QueueProgressView, Settled } from './progress-book.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { DueOfGroup } from './due-timers.ts'
import { settleExpired } from './expired-progress.ts'
import type { MessageLog, QueueView, RecordPlace, VisibleEnd } from './message-log.ts'
import { PropertyName } from './property-names.ts'
import { readableRecord } from './readable-record.ts'
import type { ScanBudget } from './scan-budget.ts'
import type { TagFilter } from './tag-filter.ts'

export interface QueueScanParts {
  readonly log: MessageLog
  readonly book: ProgressBook
  readonly visible: VisibleEnd
  readonly deadLetters: DeadLetters
  /** Whether this broker is the one that writes. */
  readonly writing: { readonly allowed: boolean }
  readonly clock: Clock
  readonly logger: Logger
}

/** How a group wants to be served. */
export interface ScanTerms {
  readonly filter: TagFilter
  readonly budget: ScanBudget
  /** Deliveries until a message counts as dead. */
  readonly attemptsMax: number
  /** Records that were brought into memory for this receive: they are read wherever they are, so that every such read brings it on. */
  readonly warmed: ReadonlySet<LogOffset>
}

/** What one look at a queue gave. */
export interface Find {
  readonly candidates: readonly Candidate[]
  /** Did not match the filter: settled for the group without being delivered. */
  readonly filtered: readonly Settled[]
  /** The next message is there, and becomes visible at this end. */
  readonly hiddenUntil: LogOffset | undefined
  /** The next message is there, and on file only: with those behind it, to be brought into memory. */
  readonly cold: readonly RecordPlace[]
}

/** Finds what may be handed out of a queue: past what is acknowledged and leased, never past the visible end. */
export class QueueScan {
  readonly #parts: QueueScanParts

  constructor(parts: QueueScanParts) {
    this.#parts = parts
  }

  /** For groups without order: the oldest that nobody has. */
  unordered(queue: DeliveryQueue, terms: ScanTerms): Find {
    const look = this.#look(queue, terms)
    if (look === undefined) return nothingFound
    const { view, progress } = look
    const now = this.#parts.clock.monotonic()
    let from = view.minOffset
    while (!terms.budget.isSpent) {
      const offset = progress.candidate(from, view.maxOffset, now)
      if (offset === undefined || !look.visit(offset)) break
      from = offset + 1
    }
    return look.find()
  }

  /** For orderly groups: the messages from `from` on, acknowledged ones included, before `end`. */
  consecutive(queue: DeliveryQueue, from: QueueOffset, end: QueueOffset, terms: ScanTerms): Find {
    const look = this.#look(queue, terms)
    if (look === undefined) return nothingFound
    const last = Math.min(end, look.view.maxOffset)
    let offset = Math.max(from, look.view.minOffset)
    while (!terms.budget.isSpent) {
      // Acknowledged ones follow one that is not: by themselves they would close no queue, and come again for ever.
      if (look.hasNothing) offset = look.progress.firstUnacked(offset)
      if (offset >= last || !look.visit(offset)) break
      offset += 1
    }
    return look.find()
  }

  /**
   * Due scheduled messages, by a slave that serves (rule 5.6): `queue` is the timer queue. With `isOrderly` one at a time, and none while it is out: so they come in the
   * order in which they were due.
   */
  due(queue: DeliveryQueue, due: DueOfGroup, isOrderly: boolean, terms: ScanTerms): Find {
    const look = queue.isOffered ? undefined : this.#look(queue, terms)
    if (look === undefined) return nothingFound
    const { delay } = this.#parts.book
    const { progress } = look
    const now = this.#parts.clock.monotonic()
    due.visit(
      (offset) => progress.isAcked(offset) || delay.isDone(offset),
      (offset, ahead) => {
        if (terms.budget.isSpent) return false
        const isOut = (progress.lease(offset)?.invisibleUntil ?? 0) > now
        const isPassed = !isOut && look.visit(offset, () => ahead(READ_AHEAD))
        const { candidates, cold } = look.find()
        return cold.length === 0 && !(isOrderly && (!isPassed || candidates.length > 0))
      },
    )
    return look.find()
  }

  #look(queue: DeliveryQueue, terms: ScanTerms): Look | undefined {
    const { log, book, writing } = this.#parts
    const view = log.queue(queue.topic, queue.queueId)
    if (view === undefined) return undefined
    const progress = book.progress.queue(queue.group, queue.topic, queue.queueId)
    if (writing.allowed) settleExpired(log, book, queue, view, progress)
    return new Look(this.#parts, queue, view, progress, terms)
  }
}

/** Units read at a time, and records warmed together. */
const READ_AHEAD = 32

export const nothingFound: Find = { candidates: [], filtered: [], hiddenUntil: undefined, cold: [] }

/** One pass over one queue. */
class Look {
  readonly view: QueueView
  readonly progress: QueueProgressView
  readonly #parts: QueueScanParts
  readonly #queue: DeliveryQueue
  readonly #terms: ScanTerms
  readonly #candidates: Candidate[] = []
  readonly #filtered: Settled[] = []
  #hiddenUntil: LogOffset | undefined
  #cold: readonly RecordPlace[] = []
  #units: readonly (ConsumeQueueUnit | undefined)[] = []
  #unitsFrom: QueueOffset = 0

  constructor(
    parts: QueueScanParts,
    queue: DeliveryQueue,
    view: QueueView,
    progress: QueueProgressView,
    terms: ScanTerms,
  ) {
    this.#parts = parts
    this.#queue = queue
    this.view = view
    this.progress = progress
    this.#terms = terms
  }

  find(): Find {
    return {
      candidates: this.#candidates,
      filtered: this.#filtered,
      hiddenUntil: this.#hiddenUntil,
      cold: this.#cold,
    }
  }

  get hasNothing(): boolean {
    return this.#candidates.length === 0
  }

  /** Takes, filters or passes over one message; `ahead` are those that come next, where they do not follow each other. False: nothing further is to be had now. */
  visit(queueOffset: QueueOffset, ahead?: () => readonly QueueOffset[]): boolean {
    const { budget, filter } = this.#terms
    const unit = this.#unit(queueOffset)
    if (unit === undefined || this.#queue.aside.has(queueOffset)) return this.#passOver()
    // A queue learns a little later than the log that its first messages have expired.
    if (unit.offset < this.#parts.log.minOffset) return this.#passOver()
    const end = unit.offset + unit.size
    if (end > this.#parts.visible.at) {
      this.#hiddenUntil = end
      return false
    }
    // Messages that share a record have tags of their own.
    if (unit.messages === undefined && !filter.mayMatch(unit.tagsCode))
      return this.#filterOut(queueOffset, unit)
    const isDead = (this.progress.lease(queueOffset)?.attempts ?? 0) >= this.#terms.attemptsMax
    if (isDead && !this.#parts.deadLetters.canMove) return this.#passOver()
    if (!budget.fits(unit.size)) {
      budget.close()
      return false
    }
    if (!this.#terms.warmed.has(unit.offset) && !this.#parts.log.isInMemory(unit)) {
      const units = ahead?.().map((offset) => this.view.unit(offset))
      this.#cold = this.#wanted(units ?? this.view.units(queueOffset, READ_AHEAD))
      return false
    }
    const candidate = this.#read(queueOffset, unit)
    if (candidate === undefined) return this.#passOver()
    if (!filter.matches(candidate.properties.get(PropertyName.tags)))
      return this.#filterOut(queueOffset, unit)
    if (isDead) {
      this.#parts.deadLetters.move(this.#queue, candidate, candidate.attempt - 1)
      return this.#passOver()
    }
    this.#candidates.push(candidate)
    budget.take(unit.size)
    return true
  }

  /** Read ahead: what is handed out together mostly lies together. */
  #unit(queueOffset: QueueOffset): ConsumeQueueUnit | undefined {
    const index = queueOffset - this.#unitsFrom
    if (index >= 0 && index < this.#units.length) return this.#units[index]
    this.#units = this.view.units(queueOffset, READ_AHEAD)
    this.#unitsFrom = queueOffset
    return this.#units[0]
  }

  /** Where messages lie, as far as they can be seen and may be wanted. */
  #wanted(units: readonly (ConsumeQueueUnit | undefined)[]): readonly RecordPlace[] {
    const { log, visible } = this.#parts
    return units.filter((unit): unit is ConsumeQueueUnit => {
      if (unit === undefined || unit.offset < log.minOffset || unit.offset + unit.size > visible.at)
        return false
      return unit.messages !== undefined || this.#terms.filter.mayMatch(unit.tagsCode)
    })
  }

  #passOver(): true {
    this.#terms.budget.passOver()
    return true
  }

  #filterOut(queueOffset: QueueOffset, unit: ConsumeQueueUnit): true {
    const last = this.#filtered.at(-1)
    const isNext = last?.queueOffset === queueOffset - 1
    const from = isNext ? (last.from ?? last.queueOffset) : queueOffset
    if (isNext) this.#filtered.pop()
    this.#filtered.push({ queueOffset, stamp: this.#stamp(unit), from })
    this.#terms.budget.filter()
    return true
  }

  #read(queueOffset: QueueOffset, unit: ConsumeQueueUnit): Candidate | undefined {
    const record = readableRecord(this.#parts.log, unit, this.#parts.logger, queueOffset)
    if (record === undefined) {
      this.#queue.aside.add(queueOffset)
      return undefined
    }
    return {
      queueOffset,
      stamp: this.#stamp(unit),
      record,
      properties: decodeProperties(record.properties),
      attempt: (this.progress.lease(queueOffset)?.attempts ?? 0) + 1,
      isAcked: this.progress.isAcked(queueOffset),
    }
  }

  #stamp(unit: ConsumeQueueUnit): RecordStamp {
    return { logEpoch: this.#parts.log.epochAt(unit.offset), physicalOffset: unit.offset }
  }
}
