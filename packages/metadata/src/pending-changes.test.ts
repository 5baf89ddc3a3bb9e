import { expect, test } from 'vitest'
import type { ProgressState } from './change.ts'
import { GENERATION_ZERO } from './generation.ts'
import { PendingChanges } from './pending-changes.ts'
import { key } from './world.test-data.ts'

function progress(...acked: (readonly [number, number])[]): ProgressState {
  return {
    kind: 'progress',
    ...key,
    generation: GENERATION_ZERO,
    voidFrom: Number.MAX_SAFE_INTEGER,
    acked,
    marks: [],
    leases: [],
  }
}

test('a later state of a queue takes the place of one that says nothing else', () => {
  const pending = new PendingChanges(10)
  pending.add(progress([0, 3]))
  pending.add(progress([0, 5]))
  expect(pending.all()).toEqual([progress([0, 5])])
  expect(pending.size).toBe(2)
})

test('states of two brokers that each say something wait beside each other', () => {
  const pending = new PendingChanges(10)
  pending.add(progress([0, 5]))
  pending.add(progress([0, 3]))
  expect(pending.all()).toEqual([progress([0, 5]), progress([0, 3])])
})
