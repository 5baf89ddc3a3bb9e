import type { QueueOffset } from '@tandemmq/base'
import type { RangeSet, RecordStamp } from '@tandemmq/codec'
import type { SettledBy, Settling } from './change.ts'
import type { SettlingBudget, SettlingHolder } from './settling-budget.ts'

/** So many of one queue are told apart; of what lies before them only the last one's place is kept. */
export const SETTLING_WRITES_MAX = 20_000
/** They are given up many at a time. */
const GIVEN_UP_TOGETHER = 2_000

const NOTHING: Settling = { writes: [] }

/**
 * Which internal writes have settled acknowledged records of one queue (rule 5.5): what was settled by a write alone is settled only where the log holds that
 * write. A record that is not here was settled by its consumer, or by a write that lies no higher than {@link horizon}.
 */
export class SettlingWrites implements SettlingHolder {
  readonly #budget: SettlingBudget
  /** Oldest knowledge first. */
  readonly #writes = new Map<QueueOffset, RecordStamp>()
  #horizon: RecordStamp | undefined

  constructor(budget: SettlingBudget) {
    this.#budget = budget
  }

  get size(): number {
    return this.#writes.size
  }

  has(queueOffset: QueueOffset): boolean {
    return this.#writes.has(queueOffset)
  }

  /** Of two writes that settle one record the lower one counts: no cut takes that alone. False if nothing changed. */
  add(queueOffset: QueueOffset, write: RecordStamp): boolean {
    const known = this.#writes.get(queueOffset)
    if (known !== undefined && known.physicalOffset <= write.physicalOffset) return false
    this.#writes.set(queueOffset, write)
    if (this.#writes.size >= SETTLING_WRITES_MAX + GIVEN_UP_TOGETHER) this.#giveUpOldest(SETTLING_WRITES_MAX)
    if (known === undefined) this.#budget.added(this)
    return true
  }

  /** What `[from, to)` was settled by matters no more. False if nothing changed. */
  delete(from: QueueOffset, to: QueueOffset): boolean {
    const before = this.#writes.size
    if (before === 0) return false
    if (to - from <= before) {
      for (let queueOffset = from; queueOffset < to; queueOffset++) this.#writes.delete(queueOffset)
      return this.#writes.size < before
    }
    for (const queueOffset of this.#writes.keys()) {
      if (queueOffset >= from && queueOffset < to) this.#writes.delete(queueOffset)
    }
    return this.#writes.size < before
  }

  clear(): void {
    this.#writes.clear()
    this.#horizon = undefined
  }

  /**
   * Before `theirs`, which are acknowledged elsewhere, are added to what is acknowledged here (`isAcked`): whatever one side knows to be settled for certain is.
   * False if nothing changed.
   */
  merge(
    theirs: RangeSet,
    { writes, horizon }: Settling = NOTHING,
    isAcked: (queueOffset: QueueOffset) => boolean,
  ): boolean {
    const settledBy = new Map(writes.map(({ queueOffset, write }) => [queueOffset, write]))
    let changed = false
    for (const [queueOffset, { physicalOffset }] of this.#writes) {
      const isCertain = theirs.has(queueOffset) && !settledBy.has(queueOffset)
      // They may only have given up to tell it apart.
      if (isCertain && physicalOffset > (horizon?.physicalOffset ?? -1)) {
        this.#writes.delete(queueOffset)
        changed = true
      }
    }
    for (const [queueOffset, write] of settledBy) {
      const isNews = this.#writes.has(queueOffset) || !isAcked(queueOffset)
      if (theirs.has(queueOffset) && isNews) changed = this.add(queueOffset, write) || changed
    }
    return this.#raise(horizon) || changed
  }

  /** `undefined`: there is nothing to say. */
  state(): Settling | undefined {
    if (this.#writes.size === 0 && this.#horizon === undefined) return undefined
    const writes: SettledBy[] = []
    for (const [queueOffset, write] of this.#writes) writes.push({ queueOffset, write })
    return { writes, ...(this.#horizon && { horizon: this.#horizon }) }
  }

  giveUpHalf(): void {
    this.#giveUpOldest(Math.ceil(this.#writes.size / 2))
  }

  #giveUpOldest(kept: number): void {
    for (const [queueOffset, write] of this.#writes) {
      if (this.#writes.size <= kept) return
      this.#writes.delete(queueOffset)
      this.#raise(write)
    }
  }

  #raise(horizon: RecordStamp | undefined): boolean {
    if (horizon === undefined || horizon.physicalOffset <= (this.#horizon?.physicalOffset ?? -1)) return false
    this.#horizon = horizon
    return true
  }
}
