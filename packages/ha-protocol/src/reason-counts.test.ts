import { silentMeter, type Meter } from '@tandemmq/base'
import { expect, test } from 'vitest'
import { masterMetrics } from './ha-metrics.ts'
import { SlaveHistory } from './slave-history.ts'
import { SlaveRecord } from './slave-records.ts'
import { ReasonCounts } from './reason-counts.ts'

test('a peer that invents reasons is counted, under no more than a few of them, and those that are known go on', () => {
  const counts = new ReasonCounts()
  counts.add('silence')
  const invented = Array.from({ length: 10_000 }, (_, index) => counts.add(`reason ${index}`))
  expect(counts.add('silence')).toBe('silence')
  expect(counts.all.size).toBe(33)
  expect(invented.at(-1)).toBe('other')
  expect([...counts.all.values()].reduce((sum, count) => sum + count, 0)).toBe(10_002)
  expect(counts.all.get('silence')).toBe(2)
})

test('neither the counters of a port, nor what is remembered of a slave or a master, grow with them', () => {
  const labels = new Set<string | undefined>()
  const counter = {
    add: (_count?: number, label?: Record<string, string>) => void labels.add(label?.['reason']),
  }
  const meter: Meter = { ...silentMeter, counter: () => counter }
  const metrics = masterMetrics(meter)
  const history = new SlaveHistory(0, () => 0)
  const record = new SlaveRecord('slave-1', 's:1')
  for (let index = 0; index < 1_000; index += 1) {
    const refusal = { reason: `reason ${index}`, words: '' }
    metrics.hungUp(refusal.reason)
    history.trouble(refusal)
    record.refused(refusal, true)
  }
  expect([labels.size, history.troubles.size, record.refusals.size]).toEqual([33, 33, 33])
})
