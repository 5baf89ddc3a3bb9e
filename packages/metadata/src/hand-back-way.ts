import type { LogOffset } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { Snapshot } from './snapshot.ts'

/** What a slave that does not reach its master says of its log, for the master to judge by (rule 4.7). */
export interface LogClaim {
  /** Absent: of a log that has never had any. */
  readonly lineage?: Lineage
  readonly end: LogOffset
  /** Serving is to go to the master; otherwise only progress does. */
  readonly givesServing: boolean
}

/** On which what a member knows goes to its master: straight, or around through metadata-rpc. */
export interface HandBackWay {
  /**
   * Resolves once the other side has applied and synced it (rule 4.7). With `claim` only if the other side has held that against its own log;
   * otherwise, and if it does not agree, rejects with `PEER_REFUSED` and its words.
   */
  handBack(snapshot: Snapshot, signal: AbortSignal, claim?: LogClaim): Promise<void>
}
