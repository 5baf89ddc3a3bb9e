import type { LogOffset } from '@tandemmq/base'

/** A stretch of a log written under one master's start. */
export interface Epoch {
  /** Ascending along the log, ≥ 1 for epochs of our own. */
  readonly epoch: number
  /** Log offset of the epoch's first byte. */
  readonly start: LogOffset
  /** 16 hex digits that name who opened it. */
  readonly opener: string
}

/** A log's ancestry (rules 1.1, 1.2): two logs are comparable exactly if they share a beginning of this. */
export interface Lineage {
  /** 32 hex digits. */
  readonly logId: string
  /** Ascending in both `epoch` and `start`. */
  readonly epochs: readonly Epoch[]
}

/** The number of the newest epoch, 0 if there is none. */
export function lastEpoch(lineage: Lineage | undefined): number {
  return lineage?.epochs.at(-1)?.epoch ?? 0
}

/** Ties progress to a record (rule 5.2): after a cut the same queue offset may name another message. */
export interface RecordStamp {
  /** The epoch the record was written in. */
  readonly logEpoch: number
  readonly physicalOffset: LogOffset
}
