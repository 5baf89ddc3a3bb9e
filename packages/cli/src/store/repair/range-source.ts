import { BrokerError } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import { commonPoint } from '@tandemmq/ha-protocol'

/** The log that is repaired, as who has its bytes must know it. */
export interface DamagedStore {
  readonly root: string
  readonly first: number
  /** Where it ended when it was whole. */
  readonly end: number
  readonly segmentBytes: number
  readonly lineage: Lineage | undefined
  /** Log bytes as they lie there. */
  read(offset: number, length: number): Buffer
}

/** Somebody who has the same log, undamaged. */
export interface RangeSource {
  /** For plans. */
  readonly words: string
  /**
   * Hands over the bytes [`from`, `to`), in order, after the ancestries and the bytes below `from` have been compared.
   * Throws `UNAVAILABLE`, saying why it has them not, or `STORE_FOREIGN` for another log.
   */
  fetch(
    from: number,
    to: number,
    store: DamagedStore,
    take: (offset: number, bytes: Buffer) => void,
  ): Promise<void>
}

/** Bytes on either side of a range in which both logs must be equal. */
export const COMPARED_BYTES = 64 * 1024

/** Both logs must have one ancestry up to `to`. */
export function demandSameLineage(
  store: DamagedStore,
  theirs: { readonly lineage: Lineage | undefined; readonly end: number },
  to: number,
): void {
  const { lineage: ours } = store
  if (ours === undefined && theirs.lineage === undefined) return // Two stores of Apache's: bytes are all they have.
  const common =
    ours === undefined || theirs.lineage === undefined || ours.logId !== theirs.lineage.logId
      ? undefined
      : commonPoint(ours, store.end, theirs.lineage, theirs.end)
  if (common !== undefined && common >= to) return
  const what =
    common === undefined ? 'the other log is not the same one' : `the logs are the same up to ${common}`
  throw new BrokerError('STORE_FOREIGN', `${what}; needed are bytes up to ${to}`, { facts: { to } })
}
