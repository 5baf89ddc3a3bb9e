import type { Files } from '@tandemmq/base'
import { TIMER_LOG_UNIT_BYTES, decodeTimerLogUnit, type TimerLogUnit } from '@tandemmq/codec'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'

/** The files of Apache's timer log: units of equal length from the start of each file on, which name each other by position. */
export class StoredTimerLog implements Disposable {
  readonly starts: readonly number[]
  readonly #files = new Map<number, StoredFile>()
  /** Behind the last unit, once that is known. */
  end = 0

  constructor(files: Files, root: string) {
    this.starts = files
      .list(`${root}/timerlog`)
      .map(positionOf)
      .filter((start) => start !== undefined)
      .toSorted((a, b) => a - b)
    for (const start of this.starts)
      this.#files.set(start, new StoredFile(files, `${root}/timerlog/${nameOf(start)}`))
  }

  /** Position of the first file; what came before has been delivered long ago. */
  get first(): number {
    return this.starts[0] ?? 0
  }

  bytesOf(start: number): number {
    return this.#files.get(start)?.bytes ?? 0
  }

  read(start: number, at: number, length: number): Buffer {
    return this.#files.get(start)?.read(at, length) ?? Buffer.alloc(length)
  }

  /** The unit that begins at a position; `undefined`: none does. */
  unitAt(position: number): TimerLogUnit | undefined {
    const start = this.starts.findLast((each) => each <= position)
    if (start === undefined || (position - start) % TIMER_LOG_UNIT_BYTES !== 0) return undefined
    return decodeTimerLogUnit(this.read(start, position - start, TIMER_LOG_UNIT_BYTES), 0)
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]()
  }
}
