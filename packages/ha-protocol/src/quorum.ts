import { invariant } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'

/**
 * The furthest offset that at least `needed` of these identities hold: the n-th best. The whole promise of
 * synchronous replication is this function. `positions` has one entry per identity, the master included.
 */
export function replicatedEnd(positions: readonly LogOffset[], needed: number): LogOffset {
  invariant(Number.isInteger(needed) && needed >= 1, 'a quorum has at least one member')
  return positions.toSorted((one, other) => other - one)[needed - 1] ?? 0
}
