import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../step.ts'
import { budgetTable } from './budget-table.ts'
import { parts } from './part.ts'

const WHOLE_RUN_MINUTES = 45

describe('the time budget', () => {
  test('stands in CONTRIBUTING.md as it is', () => {
    const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
    const written = [...page.matchAll(/^\| (?<name>[a-z ]+?) +\| (?<minutes>\d+) +\|/gm)].map(
      ({ groups }) => [groups?.name, Number(groups?.minutes)],
    )
    for (const { name, budgetMinutes } of parts) expect(written).toContainEqual([name, budgetMinutes])
    const sum = written.reduce((minutes, [, budget]) => minutes + Number(budget), 0)
    expect(sum).toBeLessThan(WHOLE_RUN_MINUTES)
  })

  test('is printed beside what was taken', () => {
    const table = budgetTable([
      { name: 'images', passed: 3, failed: 0, minutes: 0.52, budgetMinutes: 2 },
      { name: 'containers', passed: 40, failed: 1, minutes: 11.26, budgetMinutes: 10 },
    ])
    expect(table.split('\n')).toEqual([
      'part        passed  failed  minutes  budget',
      'images           3       0      0.5       2',
      'containers      40       1     11.3      10  over budget',
      'all                            11.8      12',
    ])
  })
})
