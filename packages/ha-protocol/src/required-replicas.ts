import { invariant } from '@tandemmq/base'

/**
 * How many identities, the master included, must hold a message before OK: as many as are wanted (`inSyncReplicas`). Where a master may do with
 * less (`enableAutoInSyncReplicas`), only as many as are known, and never fewer than the least (`minInSyncReplicas`).
 */
export class RequiredReplicas {
  readonly wanted: number
  readonly #least: number
  readonly #changed: (required: number) => void
  #now: number

  /** @param changed called when less is required than before, or more again */
  constructor(wanted: number, least: number, changed: (required: number) => void) {
    invariant(least >= 1 && least <= wanted, 'what is required at least is no more than what is wanted')
    this.wanted = wanted
    this.#least = least
    this.#changed = changed
    this.#now = wanted
  }

  get now(): number {
    return this.#now
  }

  /** `known`: how many a send may count on at this moment; asked only where that matters. */
  among(known: () => number): number {
    if (this.#least === this.wanted) return this.wanted
    const required = Math.max(this.#least, Math.min(this.wanted, known()))
    if (required !== this.#now) {
      this.#now = required
      this.#changed(required)
    }
    return required
  }
}
