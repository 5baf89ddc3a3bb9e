import type { LogOffset } from '@tandemmq/base'

const PENDING_MAX = 4096

/**
 * Which part of a flushed position ends with a record: what another log sends comes in pieces that end anywhere, and so do its syncs. Only up to
 * a boundary may the position file say that all is on disk.
 */
export class RecordBoundaries {
  /** The last boundary that was on disk when it was asked for. */
  #reached: LogOffset
  /** Later ones, growing. */
  #pending: LogOffset[] = []

  /** `first`: a boundary that is on disk. */
  constructor(first: LogOffset) {
    this.#reached = first
  }

  /** `boundary` only ever grows. */
  note(boundary: LogOffset): void {
    this.#pending.push(boundary)
    if (this.#pending.length > PENDING_MAX)
      this.#pending = this.#pending.filter((_, index) => index % 2 === 1)
  }

  /** The last boundary known at or below `flushed`, which only ever grows. */
  atOrBelow(flushed: LogOffset): LogOffset {
    const later = this.#pending.findIndex((boundary) => boundary > flushed)
    const passed = this.#pending.splice(0, later === -1 ? this.#pending.length : later)
    this.#reached = passed.at(-1) ?? this.#reached
    return this.#reached
  }
}
