import type { LogOffset } from '@tandemmq/base'
import { lastEpoch, type Hello } from '@tandemmq/codec'

/** The begin of a record of which nobody has the rest: bytes of `epoch` up to `to`, which the master has had and given up. */
export interface UnfinishedRecord {
  readonly epoch: number
  readonly to: LogOffset
}

/** Whether what a slave holds past the master's end is no more than `record`: nothing of it can be saved (rule 1.4). */
export function isUnfinished(
  { end, lineage }: Pick<Hello, 'end' | 'lineage'>,
  record: UnfinishedRecord | undefined,
): boolean {
  return record !== undefined && end <= record.to && lastEpoch(lineage) === record.epoch
}
