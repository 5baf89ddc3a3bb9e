import { systemCodeOf, type LogOffset } from '@tandemmq/base'
import {
  EXT_UNIT_BYTES_MAX,
  decodeExtUnit,
  extOffsetOf,
  type ConsumeQueueUnit,
  type ExtUnit,
} from '@tandemmq/codec'
import type { ConsumeQueueFiles } from './consume-queue-files.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'

/** The tags code of the record at `offset`, from the log itself; `undefined` if that cannot be read. */
export type TagsCodeAt = (offset: LogOffset, size: number) => bigint | undefined

/**
 * What Apache keeps beside a consume queue where `enableConsumeQueueExt` is set (RocketMQ ConsumeQueueExt). Only read: our dispatch writes units whose tags code
 * is one. Files lie in `consumequeue_ext/<topic>/<queueId>/`, named by their first byte.
 */
export class QueueExtensions {
  readonly #directory: string
  readonly #files: ConsumeQueueFiles
  /** Starts of a queue's files, ascending. */
  readonly #starts = new Map<string, readonly number[]>()
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
