import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { positionOfLogFile } from './log-file-name.ts'
import { endOnFile, type Position } from './position-file.ts'
import { repairHint } from './repair-hint.ts'

/** Whose store this is to be. */
export interface StoreOwner {
  readonly cluster: string
  readonly set: string
  readonly role: 'master' | 'slave'
  /** A word of the operator's, or of the registry in its place: this store was one of the other role until now. Default false. */
  readonly takesOtherStore?: boolean
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
 * files of another length, for a slave's store under a master, which may lack what its own master acknowledged, and for a master's under a slave,
 * after which it would be no master's any more; `LOG_CORRUPT` if the log begins later than it did.
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
  // A log of which nothing was on disk may have lost its first file with the power: that is a torn tail.
  if (begin === undefined || first <= begin || acceptLoss || endOnFile(position) <= begin) return
  throw new BrokerError(
    'LOG_CORRUPT',
    `the commit log in ${root} lacks its files from ${begin} up to ${first}: bring them back, or give them up with acceptLoss=true; ${repairHint(`${root}/commitlog`)}`,
    { facts: { root, offset: begin, first } },
  )
}

/** What to write down about a store that fits. */
export function ownershipOf(claim: StoreClaim): Partial<Position> {
  const { segmentBytes, owner } = claim
  return { segmentBytes, ...(owner && { cluster: owner.cluster, set: owner.set, role: owner.role }) }
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
  if (!hasLog || position.role === undefined || position.role === owner.role) return
  if (owner.takesOtherStore === true) return
  if (owner.role === 'slave') {
    throw foreign(
      `${root} is a master's store, this broker is a slave: give it a directory of its own; if the old master is to be a slave from now on, start with acceptLoss=true, which gives up what only this store holds`,
      { root },
    )
  }
  if (claim.acceptLoss) return
  throw foreign(
    `${root} is a slave's store, this broker is a master: it may lack what its own master has acknowledged; if that master has a directory, start with that one; to go on with this one and give up the rest, start with acceptLoss=true`,
    { root },
  )
}

function foreign(message: string, facts: Readonly<Record<string, string | number>>): BrokerError {
  return new BrokerError('STORE_FOREIGN', message, { facts })
}
