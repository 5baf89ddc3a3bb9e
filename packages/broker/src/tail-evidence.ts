import type { LogOffset } from '@tandemmq/base'
import { lastEpoch, type Hello, type Lineage } from '@tandemmq/codec'
import type { Appointment } from '@tandemmq/registry'
import type { MasterOptions } from './broker-options.ts'

/** What a master knows at its start about the end of its log. */
export interface TailEvidence {
  /** Absent: a log that was never begun, or a disk that was lost. */
  readonly lineage: Lineage | undefined
  readonly end: LogOffset
  /** Why acknowledged bytes may be missing (rule 3.1); undefined: none can be. */
  readonly lossReason: string | undefined
  /** Replicas that were ever counted (rule 3.3). */
  readonly roster: readonly string[]
  /** Replicas that have introduced themselves since the start. */
  readonly heard: readonly Hello[]
  /** The fewest identities, the master included, that hold a message which was acknowledged. */
  readonly inSyncReplicas: number
  /** Of the set, the master included. */
  readonly totalReplicas: number
  /** The operator's word: an empty disk begins a new log. */
  readonly createLog: boolean
  /** The operator's word: what is not here is given up (rule 3.4). */
  readonly acceptLoss: boolean
}

/**
 * Whether the operator has given up what is not here (rule 3.4): by this start, or by a promotion, until its epoch is open. Losses after that are not meant.
 */
export function isLossAccepted(
  master: Pick<MasterOptions, 'acceptLoss'>,
  appointment: Appointment | undefined,
  lineage: Lineage | undefined,
): boolean {
  if (master.acceptLoss) return true
  return appointment?.acceptsLoss === true && appointment.epoch > lastEpoch(lineage)
}

/** Whether the log may go on; `words` say why not, or why not yet. */
export type TailVerdict =
  | { readonly kind: 'complete' }
  | { readonly kind: 'unknown'; readonly words: string }
  | { readonly kind: 'missing'; readonly holder: string; readonly words: string }

const COMPLETE: TailVerdict = { kind: 'complete' }

/** Rules 1.6, 3.1 and 3.2: with enough replicas heard, whoever holds most of this log has what it may lack. */
export function judgeTail(evidence: TailEvidence): TailVerdict {
  return evidence.lineage === undefined ? judgeEmptyDisk(evidence) : judgeLog(evidence, evidence.lineage)
}

function judgeEmptyDisk(evidence: TailEvidence): TailVerdict {
  const { heard, inSyncReplicas, totalReplicas, createLog, acceptLoss } = evidence
  const others = totalReplicas - 1
  if (createLog || others <= 0) return COMPLETE
  const holders = heard.filter((hello) => hello.lineage !== undefined && hello.end > hello.begin)
  const best = furthest(holders)
  if (best === undefined) {
    if (heard.length >= others) return COMPLETE
    const words = `this disk is empty and ${heard.length} of ${others} slaves have said that theirs are too (or start with createLog=true)`
    return { kind: 'unknown', words }
  }
  const needed = Math.min(others, others - inSyncReplicas + 2)
  const fact = `this disk is empty, and ${best.identity} holds a log up to ${best.end}`
  if (holders.length < needed && !acceptLoss) {
    const words = `${fact}: heard ${holders.length} of ${needed} replicas that could hold more (or start with acceptLoss=true)`
    return { kind: 'unknown', words }
  }
  return { kind: 'missing', holder: best.identity, words: `${fact}: fetching it` }
}

function judgeLog(evidence: TailEvidence, { logId }: Lineage): TailVerdict {
  const { end, heard, lossReason, inSyncReplicas, roster, totalReplicas, acceptLoss } = evidence
  if (lossReason === undefined || roster.length === 0 || acceptLoss) return COMPLETE
  const replicas = Math.max(roster.length + 1, totalReplicas)
  const needed = Math.min(roster.length, replicas - inSyncReplicas + 1)
  const ofThisLog = heard.filter((hello) => hello.lineage?.logId === logId)
  const counted = ofThisLog.filter((hello) => roster.includes(hello.identity) && hello.end > hello.begin)
  if (counted.length < needed) {
    const words = `the tail of this log may be missing (${lossReason}): heard ${counted.length} of ${needed} replicas that could know it (\`tandemmq replica forget\` one that is gone for good, or start with acceptLoss=true)`
    return { kind: 'unknown', words }
  }
  const best = furthest(ofThisLog)
  return best === undefined || best.end <= end ? COMPLETE : missingAt(best, end)
}

/** `holder` has more of this log than the master. */
export function missingAt(holder: Hello, end: LogOffset): TailVerdict {
  const words = `${holder.identity} holds this log up to ${holder.end}, this master only up to ${end}: fetching the rest (or start with acceptLoss=true, which gives it up, acknowledged messages too)`
  return { kind: 'missing', holder: holder.identity, words }
}

/** By last epoch, then by end. */
function furthest(hellos: readonly Hello[]): Hello | undefined {
  return hellos.toSorted(
    (one, other) => lastEpoch(other.lineage) - lastEpoch(one.lineage) || other.end - one.end,
  )[0]
}
