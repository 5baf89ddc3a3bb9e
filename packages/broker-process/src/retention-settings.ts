import type { RetentionRules } from '@tandemmq/broker'
import type { BrokerValues } from './broker-keys.ts'

const HOUR_MS = 3_600_000

/** When files expire, as Apache takes its keys: ratios outside of their range count as its nearest end. */
export function retentionRules(values: BrokerValues): RetentionRules {
  return {
    reservedMs: values.fileReservedTime * HOUR_MS,
    hours: hoursOf(values.deleteWhen) ?? [],
    usedMax: within(values.diskMaxUsedSpaceRatio, 10, 95),
    usedForcing: within(values.diskSpaceCleanForciblyRatio, 30, 85),
    usedWarning: within(values.diskSpaceWarningLevelRatio, 35, 90),
    cleansForcibly: values.cleanFileForciblyEnable,
    batchMax: values.deleteFileBatchMax,
    pauseMs: values.deleteCommitLogFilesInterval,
    intervalMs: values.cleanResourceInterval,
  }
}

/** `04;16`; `undefined`: that is no list of hours. */
export function hoursOf(text: string): readonly number[] | undefined {
  const hours = text.split(';').filter((hour) => hour.trim() !== '')
  const isHours = hours.every((hour) => /^\s*\d{1,2}\s*$/.test(hour) && Number(hour) < 24)
  return isHours && hours.length > 0 ? hours.map(Number) : undefined
}

function within(percent: number, min: number, max: number): number {
  return Math.min(Math.max(percent, min), max) / 100
}
