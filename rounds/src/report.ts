import type { RoundResult } from './round.ts'

const COLUMNS = [
  ['round', 5],
  ['brokers', 21],
  ['misfortune', 66],
  ['acknowledged', 12],
  ['refused', 7],
  ['unknown', 7],
  ['no OK ms', 8],
  ['no receive ms', 13],
  ['whole after ms', 14],
  ['again', 5],
  ['excused', 7],
  ['lost', 4],
] as const

/** The names of the columns of {@link lineOf}. */
export const heading = rowOf(COLUMNS.map(([name]) => name))

export function lineOf(result: RoundResult): string {
  const { round, brokers, misfortune, acknowledged, refused, unknown } = result
  const { sendPauseMs, receivePauseMs, recoveryMs, again, excused, lost } = result
  const counts = [
    acknowledged,
    refused,
    unknown,
    sendPauseMs,
    receivePauseMs,
    recoveryMs,
    again,
    excused,
    lost,
  ]
  return rowOf([round, brokers, misfortune, ...counts].map(String))
}

/** Sums, and per kind of misfortune how often it came and how long it took at the longest. */
export function summaryOf(results: readonly RoundResult[]): string {
  const sum = (of: (result: RoundResult) => number): number =>
    results.reduce((all, each) => all + of(each), 0)
  const longest = (of: (result: RoundResult) => number): number => Math.max(0, ...results.map(of))
  const kinds = new Set(results.map(({ misfortune }) => misfortune))
  const violations = sum((result) => result.violations.length)
  return [
    `rounds ${results.length}, kinds of misfortune ${kinds.size}`,
    `sent ${sum(({ sent }) => sent)}: acknowledged ${sum(({ acknowledged }) => acknowledged)}, refused ${sum(({ refused }) => refused)}, unknown ${sum(({ unknown }) => unknown)}`,
    `acknowledged and lost ${sum(({ lost }) => lost)}; delivered again ${sum(({ again }) => again)}, of which after an acknowledgement, and excused, ${sum(({ excused }) => excused)}; anything else broken ${violations}`,
    `longest: without an OK ${longest(({ sendPauseMs }) => sendPauseMs)} ms, a group whose receives were not answered ${longest(({ receivePauseMs }) => receivePauseMs)} ms, whole after ${longest(({ recoveryMs }) => recoveryMs)} ms`,
  ].join('\n')
}

function rowOf(cells: readonly string[]): string {
  return COLUMNS.map(([, width], index) => {
    const cell = cells[index] ?? ''
    return index === 1 || index === 2 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ')
}
