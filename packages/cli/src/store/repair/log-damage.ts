import type { Finding, LogDamage } from '../finding.ts'
import type { Survey } from './survey.ts'

/** Log offsets [`from`, `to`). */
export interface LogRange {
  readonly from: number
  readonly to: number
}

/** What of the log is damaged, once consequences are told from causes. */
export interface DamagedLog {
  /** Bytes that only somebody else has. Ascending, apart from each other. */
  readonly ranges: readonly LogRange[]
  /** The same, with the records before that may have been hit too. */
  readonly suspect: readonly LogRange[]
  /** What is missing below the first file or behind the end. */
  readonly head: LogRange | undefined
  readonly lost: LogRange | undefined
  /** Bytes behind the end that were never known to be records: they may be cut off without loss. */
  readonly tail: LogRange | undefined
}

export function damagedLog({ findings, endOnFile, end }: Survey): DamagedLog {
  const problems = findings.filter(({ kind, log }) => kind === 'problem' || log?.kind === 'tail')
  const of = (kind: LogDamage['kind']): LogDamage[] =>
    problems.flatMap(({ log }) => (log?.kind === kind ? [log] : []))
  const tail = problems.find(isTornTail)?.log
  const isBelowFlushed = tail !== undefined && tail.from < endOnFile && endOnFile > end
  const pointed = new Set(of('pointed').map(({ from }) => from))
  // The record before was hit too if its queue knows it otherwise.
  const gaps = of('gap').map((gap) => {
    return gap.before !== undefined && pointed.has(gap.before) ? { ...gap, from: gap.before } : gap
  })
  const damaged = [
    ...gaps,
    ...of('content'),
    ...(tail !== undefined && isBelowFlushed ? [{ ...tail, to: endOnFile }] : []),
  ]
  // A record behind a gap does not follow the one before it; without a gap, it or the one before is wrong.
  const suspected = damaged.length === 0 && of('place').length > 0 ? [...of('place'), ...of('pointed')] : []
  return {
    ranges: merged([...damaged, ...suspected]),
    suspect: merged([...damaged, ...suspected].map(({ from, to, before }) => ({ from: before ?? from, to }))),
    head: of('head')[0],
    lost: isBelowFlushed ? undefined : of('lost')[0],
    tail: isBelowFlushed ? undefined : tail,
  }
}

/** What Apache leaves behind the end of its log stays there. */
function isTornTail({ kind, log, what }: Finding): boolean {
  return log?.kind === 'tail' && (kind === 'problem' || what.startsWith('no record'))
}

/** Ascending, apart from each other. */
export function merged(ranges: readonly LogRange[]): readonly LogRange[] {
  const result: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else result.push({ from, to })
  }
  return result
}
