import { expect, test } from 'vitest'
import { isGood, type Cell, type Row } from './row.ts'
import { tableOf } from './table.ts'

const holds = { words: '0 of 5 sends were OK', holds: true, figures: {} }
const breaks = { words: '5 of 5 sends were OK', holds: false, figures: {} }
const unseen = { failure: 'cc could not be run' }

test.each([
  [holds, holds, true],
  [breaks, holds, true],
  [holds, breaks, false],
  [holds, unseen, false],
  [unseen, holds, false],
])('a row is good if ours holds and Apache was seen, whatever it did', (apache, tandemmq, good) => {
  expect(isGood(rowOf(apache, tandemmq))).toBe(good)
})

test('the table says everything, however narrow its columns', () => {
  const table = tableOf([rowOf(unseen, holds), rowOf(breaks, breaks)])
  const words = table.replaceAll(/[\s|]+/g, ' ')
  for (const said of [
    'forged: somebody',
    'no OK',
    'NOT SEEN: cc could',
    '0 of 5 sends were OK yes',
    '5 of 5',
  ])
    expect(words).toContain(said)
  expect(table.split('\n').every((line) => line.length <= 155)).toBe(true)
  expect(table).toContain('/a/path/that/is/longer/than/its/co')
})

function rowOf(apache: Cell, tandemmq: Cell): Row {
  const done = 'somebody /a/path/that/is/longer/than/its/column/in/the/table'
  return { scenario: 'forged', done, asked: 'no OK', apache, tandemmq, seconds: 1 }
}
