import type { LogOffset } from '@tandemmq/base'

/** When segments of the log expire. Ratios are shares of the disk in use, 0 … 1. */
export interface RetentionRules {
  /** How long a segment is kept after its last message, ms (Apache: fileReservedTime). */
  readonly reservedMs: number
  /** Hours of the local day, 0 … 23, in which what has expired is removed (Apache: deleteWhen). */
  readonly hours: readonly number[]
  /** Above it, what has expired is removed at any hour (Apache: diskMaxUsedSpaceRatio). */
  readonly usedMax: number
  /** Above it, the oldest segments are removed whatever their age, if {@link cleansForcibly} (Apache: diskSpaceCleanForciblyRatio). */
  readonly usedForcing: number
  /** As {@link usedForcing}; and replicas that are away are no longer waited for (Apache: diskSpaceWarningLevelRatio). */
  readonly usedWarning: number
  /** Apache: cleanFileForciblyEnable. */
  readonly cleansForcibly: boolean
  /** Segments removed in one round at most (Apache: deleteFileBatchMax). */
  readonly batchMax: number
  /** Pause between two of them, ms (Apache: deleteCommitLogFilesInterval). */
  readonly pauseMs: number
  /** From one round to the next, ms (Apache: cleanResourceInterval). The first comes after six times as long. */
  readonly intervalMs: number
}

const HOUR_MS = 3_600_000

/** Apache's defaults (MessageStoreConfig). */
export const apacheRetention: RetentionRules = {
  reservedMs: 72 * HOUR_MS,
  hours: [4],
  usedMax: 0.75,
  usedForcing: 0.85,
  usedWarning: 0.9,
  cleansForcibly: true,
  batchMax: 10,
  pauseMs: 100,
  intervalMs: 10_000,
}

/** How full the disk is. Each level includes those before it. */
export type DiskLevel = 'roomy' | 'filling' | 'forcing' | 'warning'

export interface Occasion {
  /** ms */
  readonly now: number
  readonly disk: { readonly free: number; readonly total: number }
}

/** What is to be removed in a round: nothing, what is old enough, or the oldest whatever its age. */
export type RoundPlan =
  | { readonly remove: 'nothing'; readonly level: DiskLevel }
  | { readonly remove: 'expired' | 'oldest'; readonly level: DiskLevel }

/** RocketMQ DefaultMessageStore.CleanCommitLogService: in certain hours, or when the disk fills. */
export function planRound(rules: RetentionRules, { now, disk }: Occasion): RoundPlan {
  const level = levelOf(rules, usedRatio(disk))
  const isFull = level === 'forcing' || level === 'warning'
  if (isFull && rules.cleansForcibly) return { remove: 'oldest', level }
  const isHour = rules.hours.includes(new Date(now).getHours())
  return { remove: isHour || level !== 'roomy' ? 'expired' : 'nothing', level }
}

export function usedRatio({ free, total }: Occasion['disk']): number {
  return total === 0 ? 0 : 1 - free / total
}

/** Why a segment stays although its time has come. */
export interface Hold {
  /** Nothing at or behind this may go. */
  readonly from: LogOffset
  /** For whom, in words. */
  readonly words: string
}

function levelOf(rules: RetentionRules, used: number): DiskLevel {
  if (used > rules.usedWarning) return 'warning'
  if (used > rules.usedForcing) return 'forcing'
  return used > rules.usedMax ? 'filling' : 'roomy'
}
