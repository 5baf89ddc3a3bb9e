import type { LogOffset } from '@tandemmq/base'

/** What a start finds out about the log's past. */
export interface LossEvidence {
  /** The last stop was a clean one. */
  readonly cleanStop: boolean
  /** The machine has not been restarted since. */
  readonly sameBoot: boolean
  readonly hasLineage: boolean
  readonly end: LogOffset
  /** Where the log was known to end at least: flushed, or at the last clean stop. */
  readonly endOnFile: LogOffset
  /** An earlier start has found that the tail may be lost, and nobody has settled that since. */
  readonly unsettled: boolean
}

/** Why acknowledged bytes may be missing at the tail, in words; `undefined` if none can be (rule 3.1). */
export function whyLossIsPossible(evidence: LossEvidence): string | undefined {
  if (evidence.end < evidence.endOnFile) {
    return `the log ends at ${evidence.end}, but ${evidence.endOnFile} was on disk`
  }
  if (!evidence.hasLineage) return 'the log has no lineage: nothing is known about its past'
  if (!evidence.cleanStop && !evidence.sameBoot) {
    return 'the last stop was not clean and the machine was restarted, or that cannot be known'
  }
  if (evidence.unsettled) return 'an earlier start found that the tail may be lost, and that is not settled'
  return undefined
}
