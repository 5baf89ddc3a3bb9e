import type { LogOffset } from '@tandemmq/base'

/**
 * How far consumers may read. Moves forward as the mode allows (ARCHITECTURE.md, "What OK promises"); never below what was already
 * confirmed and persisted. A cut of the log on a slave takes it back with it.
 */
export class VisiblePosition {
  readonly #limit: () => LogOffset
  readonly #listeners = new Set<(at: LogOffset) => void>()
  #at: LogOffset

  /** @param limit what the present role and mode allow, computed afresh at each {@link refresh} */
  constructor(at: LogOffset, limit: () => LogOffset) {
    this.#at = at
    this.#limit = limit
  }

  get at(): LogOffset {
    return this.#at
  }

  /** Something it depends on has moved. */
  refresh(): void {
    const limit = this.#limit()
    if (limit <= this.#at) return
    this.#at = limit
    for (const listener of this.#listeners) listener(limit)
  }

  /** The log was cut to `end`. */
  cutTo(end: LogOffset): void {
    this.#at = Math.min(this.#at, end)
  }

  onAdvance(listener: (at: LogOffset) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
