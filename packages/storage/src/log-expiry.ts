import type { Clock, Files, LogOffset, Logger } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'
import type { ConsumeQueues } from './consume-queues.ts'
import type { Dispatcher } from './dispatcher.ts'
import { isDiskFull } from './errno.ts'
import type { IndexOfKeys } from './index-of-keys.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'
import type { Position, PositionFile } from './position-file.ts'

export interface LogExpiryParts {
  readonly log: CommitLog
  readonly queues: ConsumeQueues
  readonly index: IndexOfKeys | undefined
  readonly dispatcher: Dispatcher
  readonly position: PositionFile
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Takes the oldest segments away, in an order that a crash may interrupt anywhere: readers are refused first; then the position file says, in
 * both its copies, where the log begins and what is still to be removed; then files go, the oldest first.
 */
export class LogExpiry {
  readonly #parts: LogExpiryParts
  /** Segments below are gone from the disk, durably. */
  #removedTo: LogOffset
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(parts: LogExpiryParts) {
    this.#parts = parts
    this.#removedTo = parts.log.minOffset
  }

  /** See `MessageStore.expire`. */
  async run(upTo: LogOffset): Promise<number> {
    const { log } = this.#parts
    const begin = Math.max(log.minOffset, log.segmentStart(Math.min(upTo, this.#limit)))
    if (begin === this.#removedTo) return 0
    log.forgetBelow(begin)
    const before = this.#running
    const removed = (async () => {
      await before
      return this.#stopped ? 0 : this.#remove(begin)
    })()
    this.#running = removed.then(
      () => {},
      () => {},
    )
    return removed
  }

  /** No file is removed any more once this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** What a restart relies on must not go: queues below are on disk, and the last byte stays, so that the log has a place. */
  get #limit(): LogOffset {
    const { log, dispatcher, position } = this.#parts
    const last = Math.max(log.written.at - 1, 0)
    return Math.min(last, log.flushed.at, dispatcher.dispatched.at, position.value.queuesSynced)
  }

  async #remove(begin: LogOffset): Promise<number> {
    const { log, queues, index, position, files } = this.#parts
    const from = this.#removedTo
    if (begin <= from) return 0
    if (log.minOffset < begin) log.forgetBelow(begin) // One before this has failed, and has taken that back.
    const { begin: beginBefore, expireTo } = position.value
    try {
      // Twice: the fallback copy must not speak of files that are gone.
      await this.#save({ begin, expireTo: begin, scanFrom: Math.max(position.value.scanFrom, begin) })
      await this.#save({})
    } catch (failure) {
      // Nothing has happened yet. (If it is on disk after all, the next start does it.)
      // Who comes next, to remove more, begins here.
      if (!this.#stopped && log.minOffset === begin) log.keepFrom(from)
      position.note({ begin: beginBefore, expireTo })
      throw failure
    }
    if (this.#stopped) return 0
    await removeSegmentsBelow(files, log.directory, begin, log.segmentBytes)
    this.#removedTo = begin
    index?.expire(begin)
    await queues.expire(begin, () => this.#pause())
    return (begin - from) / log.segmentBytes
  }

  async #save(change: Partial<Position>): Promise<void> {
    const { position } = this.#parts
    try {
      await position.save(change)
    } catch (failure) {
      if (!isDiskFull(failure)) throw failure
      // A disk with no room for this could never be told what may go.
      position.giveUpFallback()
      await position.save(change)
    }
  }

  async #pause(): Promise<boolean> {
    await new Promise<void>((resolve) => {
      this.#parts.clock.after(0, resolve)
    })
    return !this.#stopped
  }
}

/** Removes what an interrupted expiry has left. */
export async function finishExpiry(
  files: Files,
  directory: string,
  expireTo: LogOffset | undefined,
  segmentBytes: number,
): Promise<void> {
  if (expireTo !== undefined) await removeSegmentsBelow(files, directory, expireTo, segmentBytes)
}

async function removeSegmentsBelow(
  files: Files,
  directory: string,
  begin: LogOffset,
  segmentBytes: number,
): Promise<void> {
  let isChanged = false
  for (const name of files.list(directory)) {
    const start = positionOfLogFile(name)
    if (start === undefined || start + segmentBytes > begin) continue
    files.remove(`${directory}/${logFileName(start)}`)
    isChanged = true
  }
  if (isChanged) await files.syncDirectory(directory)
}
