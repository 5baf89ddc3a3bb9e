import type { LogOffset } from '@tandemmq/base'
import { lastEpoch, type Lineage } from '@tandemmq/codec'
import { commonPoint } from '@tandemmq/ha-protocol'
import type { LogClaim } from '@tandemmq/metadata'

/** A master's own log, as far as a claim is held against it. */
export interface ClaimedLog {
  readonly lineage: Lineage | undefined
  readonly end: LogOffset
}

/**
 * Why a master takes nothing from a slave that it does not reach (rule 4.7), in words; `undefined`: it does. What the slave has seen must be seen here
 * too: every byte of its log has to be one of this log, by their lineages, since nobody can compare the bytes.
 */
export function refusalOfClaim({ lineage, end }: LogClaim, own: ClaimedLog): string | undefined {
  if (end === 0) return undefined
  if (lineage === undefined || own.lineage === undefined)
    return `the slave holds bytes up to ${end}, and it is not known of which log`
  if (lineage.logId !== own.lineage.logId)
    return `the slave's log is ${lineage.logId}, the master's ${own.lineage.logId}`
  const [followed, newest] = [lastEpoch(lineage), lastEpoch(own.lineage)]
  if (followed > newest) return `the slave has followed epoch ${followed}, the master is at ${newest}`
  const common = commonPoint(own.lineage, own.end, lineage, end) ?? 0
  return common === end
    ? undefined
    : `the slave's log goes on to ${end}, it agrees with the master's up to ${common}`
}
