import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { positionOfLogFile } from './log-file-name.ts'
import type { Position } from './position-file.ts'

/** Whose store this is to be. */
export interface StoreOwner {
  readonly cluster: string
  readonly set: string
  readonly role: 'master' | 'slave'
}

/** What a directory has to fit. */
export interface StoreClaim {
  readonly root: string
  readonly segmentBytes: number
  readonly owner?: StoreOwner
  /** The operator's word that what is missing is given up. */
  readonly acceptLoss: boolean
}

/**
 * Whether this process may go on with what lies in the directory. Throws `STORE_FOREIGN` for the store of another set or cluster, for
 * files of another length, and for a slave's store under a master, which may lack what its own master acknowledged; `LOG_CORRUPT` if the log begins
 * later than it did.
 */
export function demandOwnStore(position: Position, claim: StoreClaim, files: Files): void {
  const { root, owner, acceptLoss } = claim
  const starts = files
    .list(`${root}/commitlog`)
    .map(positionOfLogFile)
    .filter((start) => start !== undefined)
  if (owner !== undefined) demandOwner(position, owner, claim, starts.length > 0)
  if (starts.length === 0) return
  const { segmentBytes, begin } = position
  if (segmentBytes !== undefined && segmentBytes !== claim.segmentBytes) {
    throw foreign(
      `the commit log in ${root} has files of ${segmentBytes} bytes, configured are ${claim.segmentBytes}`,
      {
        root,
        segmentBytes,
      },
    )
  }
  const first = Math.min(...starts)
  if (begin === undefined || first <= begin || acceptLoss) return
  throw new BrokerError(
    'LOG_CORRUPT',
    `the commit log in ${root} lacks its files from ${begin} up to ${first}: bring them back, or give them up with acceptLoss=true`,
    { facts: { root, offset: begin, first } },
  )
}

/** What to write down about a store that fits. */
export function ownershipOf(claim: StoreClaim): Partial<Position> {
  return { segmentBytes: claim.segmentBytes, ...claim.owner }
}

/** Where the log begins, once it has bytes on disk (and so the name of their file): from then on that may not be later. */
export function beginOf(minOffset: LogOffset, flushed: LogOffset): LogOffset | undefined {
  return flushed > minOffset ? minOffset : undefined
}

function demandOwner(position: Position, owner: StoreOwner, claim: StoreClaim, hasLog: boolean): void {
  const { root } = claim
  const { cluster = owner.cluster, set = owner.set } = position
  if (cluster !== owner.cluster || set !== owner.set) {
    throw foreign(
      `${root} is the store of broker set ${set} in cluster ${cluster}, this broker is of set ${owner.set} in cluster ${owner.cluster}`,
      { root, cluster, set },
    )
  }
  if (owner.role === 'slave' || position.role !== 'slave' || !hasLog || claim.acceptLoss) return
  throw foreign(
    `${root} is a slave's store: it may lack what its master has acknowledged; to go on with it as the master, start with acceptLoss=true`,
    { root },
  )
}

function foreign(message: string, facts: Readonly<Record<string, string | number>>): BrokerError {
  return new BrokerError('STORE_FOREIGN', message, { facts })
}
