/** What a store was asked to do and what it has promised, as they were in one instant. */
export interface Ledger {
  /** Bodies in the order of their appends; those that a cut has removed are gone. */
  readonly sent: readonly string[]
  /** How many of them `append` has returned: a kill must not take them. */
  readonly appended: number
  /** How many of them a flush has promised: a power cut must not take them. */
  readonly flushed: number
  /** A cut that has begun: from this one on they may be gone. */
  readonly cutFrom: number | undefined
  /** That cut leaves nothing: the log then begins anew, and so do its queues. */
  readonly beginsAnew: boolean
  /** How many of them have expired, from the first on. */
  readonly expired: number
  /** More are being expired. */
  readonly isExpiring: boolean
  /** Up to where the broker was told that promises were kept, and given the time to write that down. */
  readonly confirmed: number
  /** A lineage was created. */
  readonly hasLineage: boolean
}

export const emptyLedger: Ledger = {
  sent: [],
  appended: 0,
  flushed: 0,
  cutFrom: undefined,
  beginsAnew: false,
  expired: 0,
  isExpiring: false,
  confirmed: 0,
  hasLineage: false,
}

/** How many messages must be there after a crash of this kind. */
export function promised(ledger: Ledger, how: 'kill' | 'power'): number {
  const count = how === 'kill' ? ledger.appended : ledger.flushed
  return Math.min(count, ledger.cutFrom ?? Infinity)
}
