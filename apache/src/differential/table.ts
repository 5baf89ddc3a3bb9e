import type { Cell, Row } from './row.ts'

/** Widths of the columns, characters. */
const COLUMNS = [
  ['scenario', 34],
  ['asked', 26],
  ['Apache RocketMQ 5.5.0', 38],
  ['TandemMQ', 38],
  ['holds', 5],
] as const

/** The rows as a table for people, with a line below each. */
export function tableOf(rows: readonly Row[]): string {
  const heads = COLUMNS.map(([title]) => title)
  const cells = rows.map((row) => [
    `${row.scenario}: ${row.done}`,
    row.asked,
    wordsOf(row.apache),
    wordsOf(row.tandemmq),
    'holds' in row.tandemmq && row.tandemmq.holds ? 'yes' : 'NO',
  ])
  const rule = COLUMNS.map(([, width]) => '-'.repeat(width)).join('-+-')
  return [heads, ...cells].flatMap((row) => [...linesOf(row), rule]).join('\n')
}

function wordsOf(cell: Cell): string {
  return 'holds' in cell ? cell.words : `NOT SEEN: ${cell.failure}`
}

function linesOf(cells: readonly string[]): readonly string[] {
  const wrapped = cells.map((cell, index) => wrap(cell, COLUMNS[index]?.[1] ?? 0))
  const height = Math.max(...wrapped.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, index) => (lines[line] ?? '').padEnd(COLUMNS[index]?.[1] ?? 0))
      .join(' | ')
      .trimEnd(),
  )
}

/** Words that are longer than a line are broken. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).flatMap((whole) => piecesOf(whole, width))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

function piecesOf(word: string, width: number): readonly string[] {
  return word.match(new RegExp(`.{1,${width}}`, 'g')) ?? []
}
