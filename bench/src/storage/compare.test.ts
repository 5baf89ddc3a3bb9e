import { expect, test } from 'vitest'
import { comparedFigures } from './compare.ts'

test('a ratio that grew, and a count that shrank, are worse; what only one has is not compared', () => {
  const baseline = {
    append: { 128: { cpuToFloor: 2, cpuUsPerMessage: 4 } },
    syncFlush: { 64: { messagesPerSync: 60 } },
  }
  const now = {
    append: { 128: { cpuToFloor: 3, cpuUsPerMessage: 9 }, 1024: { cpuToFloor: 2 } },
    syncFlush: { 64: { messagesPerSync: 30 } },
  }
  expect(comparedFigures(baseline, now)).toEqual([
    { figure: 'append.128.cpuToFloor', baseline: 2, now: 3, factor: 1.5 },
    { figure: 'syncFlush.64.messagesPerSync', baseline: 60, now: 30, factor: 2 },
  ])
})
