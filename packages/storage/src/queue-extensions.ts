import { systemCodeOf, type LogOffset, type QueueOffset } from '@tandemmq/base'
import {
  EXT_UNIT_BYTES_MAX,
  decodeExtUnit,
  extOffsetOf,
  type ConsumeQueueUnit,
  type ExtUnit,
} from '@tandemmq/codec'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'

/** Units of a queue that one round of expiry looks through for the first address: a few milliseconds. */
const UNITS_PER_ROUND = 50_000

/** A queue whose units may hold addresses. */
export interface AddressedQueue {
  readonly topic: string
  readonly queueId: number
  readonly minOffset: QueueOffset
  readonly maxOffset: QueueOffset
  /** Units as they are on file, from `queueOffset` on, as many as one read gives. */
  unitsOnFile(queueOffset: QueueOffset, countMax: number): readonly (ConsumeQueueUnit | undefined)[]
}

/** The tags code of the record at `offset`, from the log itself; `undefined` if that cannot be read. */
export type TagsCodeAt = (offset: LogOffset, size: number) => bigint | undefined

/**
 * What Apache keeps beside a consume queue where `enableConsumeQueueExt` is set (RocketMQ ConsumeQueueExt). Not written: our dispatch writes units whose tags code
 * is one. Files lie in `consumequeue_ext/<topic>/<queueId>/`, named by their first byte.
 */
export class QueueExtensions {
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  /** Starts of a queue's files, ascending. */
  readonly #starts = new Map<string, readonly number[]>()
  /** By directory: no unit below holds an address, as far as the queue goes. */
  readonly #plainTo = new Map<string, QueueOffset>()
  /** Says what an extension that is lost would have said. */
  tagsCodeAt: TagsCodeAt | undefined

  constructor(directory: string, files: ConsumeQueueFiles) {
    this.#directory = directory
    this.#files = files
  }

  /** The unit with its true tags code, where it holds the address of an extension. */
  resolved(topic: string, queueId: number, unit: ConsumeQueueUnit): ConsumeQueueUnit {
    if (extOffsetOf(unit.tagsCode) === undefined) return unit
    const tagsCode =
      this.of(topic, queueId, unit.tagsCode)?.tagsCode ?? this.tagsCodeAt?.(unit.offset, unit.size)
    return tagsCode === undefined ? unit : { ...unit, tagsCode }
  }

  /** What lies at the address; `undefined`: it is none, or nothing whole lies there. */
  of(topic: string, queueId: number, tagsCode: bigint): ExtUnit | undefined {
    const offset = extOffsetOf(tagsCode)
    if (offset === undefined || !Number.isSafeInteger(offset)) return undefined
    const directory = `${this.#directory}/${topic}/${queueId}`
    const start = this.#startsIn(directory).findLast((each) => each <= offset)
    if (start === undefined) return undefined
    const bytes = Buffer.alloc(EXT_UNIT_BYTES_MAX)
    const count = this.#files.read(`${directory}/${logFileName(start)}`, bytes, offset - start)
    return decodeExtUnit(bytes.subarray(0, count), 0)
  }

  /**
   * Removes files that only expired messages lead to (RocketMQ ConsumeQueueExt.truncateByMinAddress), but never the last one. A queue goes on without addresses
   * where we have written: the first one may lie far behind its begin, and is looked for in several rounds then.
   */
  expire(queue: AddressedQueue): void {
    const directory = `${this.#directory}/${queue.topic}/${queue.queueId}`
    const starts = this.#startsIn(directory)
    if (starts.length < 2) return
    const address = this.#firstAddress(queue, directory)
    const keepFrom = address === undefined ? undefined : starts.findLast((start) => start <= address)
    if (keepFrom === undefined || keepFrom === starts[0]) return
    this.#files.removeBelow(directory, keepFrom)
    this.#starts.set(
      directory,
      starts.filter((start) => start >= keepFrom),
    )
  }

  /** The lowest address that a message of the queue has; infinite if none has one, `undefined` if that is not known yet. */
  #firstAddress(queue: AddressedQueue, directory: string): number | undefined {
    let at = Math.max(queue.minOffset, this.#plainTo.get(directory) ?? 0)
    const roundEnd = at + UNITS_PER_ROUND
    while (at < queue.maxOffset && at < roundEnd) {
      for (const unit of queue.unitsOnFile(at, roundEnd - at)) {
        const address = unit && extOffsetOf(unit.tagsCode)
        if (address !== undefined) return address
        at += 1
        this.#plainTo.set(directory, at)
      }
    }
    return at < queue.maxOffset ? undefined : Infinity
  }

  #startsIn(directory: string): readonly number[] {
    let starts = this.#starts.get(directory)
    if (starts === undefined) {
      starts = this.#list(directory)
      this.#starts.set(directory, starts)
    }
    return starts
  }

  #list(directory: string): number[] {
    try {
      const starts = this.#files.list(directory).map(positionOfLogFile)
      return starts.filter((start) => start !== undefined).toSorted((a, b) => a - b)
    } catch (failure) {
      if (systemCodeOf(failure) === undefined) throw failure
      return []
    }
  }
}
