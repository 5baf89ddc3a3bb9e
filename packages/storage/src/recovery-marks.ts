import type { LogOffset } from '@tandemmq/base'

/** How far recovery reads back at least before what it relies on. */
const DISTANCE_BYTES = 1024 * 1024
const MARKS_MAX = 256

/** Record boundaries along the log, about one per MiB: places where a start can begin to read. */
export class RecoveryMarks {
  readonly #first: LogOffset
  #marks: LogOffset[] = []

  /** `first`: a boundary that is known already. */
  constructor(first: LogOffset) {
    this.#first = first
  }

  /** `boundary` only ever grows. */
  note(boundary: LogOffset): void {
    if (boundary - (this.#marks.at(-1) ?? this.#first) < DISTANCE_BYTES) return
    this.#marks.push(boundary)
    if (this.#marks.length > MARKS_MAX) this.#marks = this.#marks.filter((_, index) => index % 2 === 1)
  }

  /** The last known boundary well before `offset`. */
  before(offset: LogOffset): LogOffset {
    return this.#marks.findLast((mark) => mark + DISTANCE_BYTES <= offset) ?? Math.min(this.#first, offset)
  }
}
