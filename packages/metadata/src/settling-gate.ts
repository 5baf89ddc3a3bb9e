import type { QueueOffset } from '@tandemmq/base'
import { RangeSet, type Range, type RecordStamp } from '@tandemmq/codec'
import type { SettledBy, Settling } from './change.ts'
import type { LogKnowledge } from './log-knowledge.ts'

interface Settled {
  readonly acked: readonly Range[]
  readonly settling?: Settling
}

/**
 * Judges what internal writes have settled by what the log knows of these writes (rule 5.5): it counts where the log holds the write, waits for one that comes, and
 * is nothing where the lineage says something else there.
 */
export class SettlingGate {
  readonly #settling: Settling | undefined
  readonly #isHorizonKnown: boolean | 'later'
  readonly #known: readonly SettledBy[]
  readonly #later: readonly SettledBy[]
  readonly #contradicting: readonly SettledBy[]

  constructor(settling: Settling | undefined, log: LogKnowledge) {
    const { writes = [], horizon } = settling ?? {}
    this.#settling = settling
    this.#isHorizonKnown = horizon === undefined || log.knowsStamp(horizon)
    const judged = writes.map((settled) => ({ settled, known: log.knowsStamp(settled.write) }))
    const those = (answer: boolean | 'later'): readonly SettledBy[] =>
      judged.filter(({ known }) => known === answer).map(({ settled }) => settled)
    this.#known = those(true)
    this.#later = those('later')
    this.#contradicting = those(false)
  }

  /** The writes that are still to come. */
  get awaited(): readonly RecordStamp[] {
    const writes = this.#later.map(({ write }) => write)
    const horizon = this.#isHorizonKnown === 'later' ? this.#settling?.horizon : undefined
    return horizon === undefined ? writes : [...writes, horizon]
  }

  /** Settled by writes that this log will never hold. */
  get lost(): readonly QueueOffset[] {
    return this.#contradicting.map(({ queueOffset }) => queueOffset)
  }

  /** What lies below the horizon cannot be told apart, and something of it is lost. */
  get isAllInDoubt(): boolean {
    return this.#isHorizonKnown === false
  }

  /** What of `acked` counts now. */
  now(acked: readonly Range[]): Settled {
    return this.#settled(acked, this.#isHorizonKnown === true, this.#known, this.#later)
  }

  /** What of `acked` counts once the bytes have come. */
  later(acked: readonly Range[]): Settled {
    return this.#settled(acked, !this.isAllInDoubt, [...this.#known, ...this.#later], [])
  }

  #settled(
    acked: readonly Range[],
    isCounted: boolean,
    writes: readonly SettledBy[],
    waiting: readonly SettledBy[],
  ): Settled {
    if (this.#settling === undefined) return { acked }
    const ranges = RangeSet.of(isCounted ? acked : [])
    for (const { queueOffset } of [...waiting, ...this.#contradicting]) ranges.remove(queueOffset)
    return { acked: [...ranges.ranges()], settling: { ...this.#settling, writes } }
  }
}
