import type { PartResult } from './part-run.ts'

/** What ran, how it went, and what it took beside what it may take. */
export function budgetTable(results: readonly PartResult[]): string {
  const rows = results.map((result) => [
    result.name,
    String(result.passed),
    String(result.failed),
    result.minutes.toFixed(1),
    String(result.budgetMinutes),
    result.minutes > result.budgetMinutes ? 'over budget' : '',
  ])
  const minutes = results.reduce((sum, result) => sum + result.minutes, 0)
  const budget = results.reduce((sum, result) => sum + result.budgetMinutes, 0)
  const table = [
    ['part', 'passed', 'failed', 'minutes', 'budget', ''],
    ...rows,
    ['all', '', '', minutes.toFixed(1), String(budget), ''],
  ]
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  )
  return table.map((row) => rowText(row, widths)).join('\n')
}

function rowText(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  )
  return cells.join('  ').trimEnd()
}
