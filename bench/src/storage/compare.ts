import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { storage } from './storage.ts'

const BASELINE = join(import.meta.dirname, '..', '..', 'baseline', 'storage.json')
/** Ratios within one run move by so much on a machine that others use too. */
const WORSE_BY = 1.25

/** Figures that can be compared between machines and hours: ratios within a run, counts, memory; and which way is better. */
const COMPARED: Readonly<Record<string, 'less' | 'more'>> = {
  cpuToFloor: 'less',
  indexingCpuToFloor: 'less',
  rebuildingCpuToFloor: 'less',
  cpuToApache: 'less',
  messagesPerSync: 'more',
  residentMb: 'less',
  residentPeakMb: 'less',
  residentAfterStartMb: 'less',
}

/** One figure beside the one of the baseline; `factor` above 1 is worse. */
export interface Compared {
  readonly figure: string
  readonly baseline: number
  readonly now: number
  readonly factor: number
}

/** Every comparable figure that both have. */
export function comparedFigures(baseline: unknown, now: unknown, path = ''): readonly Compared[] {
  if (!isObject(baseline) || !isObject(now)) return []
  return Object.entries(now).flatMap(([name, value]) => {
    const before = baseline[name]
    const better = COMPARED[name]
    const figure = path === '' ? name : `${path}.${name}`
    if (better === undefined || typeof value !== 'number' || typeof before !== 'number')
      return comparedFigures(before, value, figure)
    return [
      { figure, baseline: before, now: value, factor: better === 'less' ? value / before : before / value },
    ]
  })
}

/**
 * Runs the benchmark of the storage engine and holds it against the stored baseline: `compare [flags of storage]`. What is worse by more than a
 * quarter is listed, and makes the process end with 1.
 */
export async function compare(flags: readonly string[]): Promise<Record<string, unknown>> {
  const baseline: unknown = JSON.parse(readFileSync(BASELINE, 'utf8'))
  const figures = comparedFigures(baseline, await storage(flags))
  const worse = figures.filter(({ factor }) => factor > WORSE_BY)
  if (worse.length > 0) process.exitCode = 1
  return { worseByMoreThan: WORSE_BY, compared: figures, worse }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
