import { BrokerError } from '@tandemmq/base'
import { decodeLineage, encodeLineage } from '@tandemmq/codec'
import { encodeSnapshot, type LogClaim, type Snapshot } from '@tandemmq/metadata'
import type { metadata as wire } from '@tandemmq/rpc'
import { piecesOf } from './pieces.ts'

/** A hand-back as it travels. */
export function* partsOf(snapshot: Snapshot, claim: LogClaim | undefined): Generator<wire.HandBackPart> {
  let first = claim && claimToWire(claim)
  for (const { piece, isLast } of piecesOf(encodeSnapshot(snapshot))) {
    yield { snapshot: piece, claim: first, last: isLast }
    first = undefined
  }
}

/** Throws `PROTOCOL_VIOLATION`. */
export function claimFromWire({ lineage, end, givesServing }: wire.LogClaim): LogClaim {
  if (end < 0) throw new BrokerError('PROTOCOL_VIOLATION', `a log that ends at ${end}`)
  const known = lineage.length > 0 && { lineage: decodeLineage(Buffer.from(lineage)) }
  return { ...known, end, givesServing }
}

/** Throws `PEER_REFUSED` if a claim was made and nobody has judged it. */
export function demandJudged({ judged }: wire.HandBackAnswer, claim: LogClaim | undefined): void {
  if (claim === undefined || judged) return
  throw new BrokerError(
    'PEER_REFUSED',
    'the master is of an older version, which takes nothing from a slave that is not connected to it',
  )
}

function claimToWire({ lineage, end, givesServing }: LogClaim): wire.LogClaim {
  return { lineage: lineage ? encodeLineage(lineage) : Buffer.alloc(0), end, givesServing }
}
