import { expect, test } from 'vitest'
import type { ProgressState } from './change.ts'
import { GENERATION_ZERO } from './generation.ts'
import { PendingChanges } from './pending-changes.ts'
import type { Waiting } from './stamp-gate.ts'
import { key, stamp } from './world.test-data.ts'

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

const waiting = (acked: readonly [number, number]): Waiting => ({ change: progress(acked), until: stamp(9) })

test('a later state of a queue takes the place of one that says nothing else', () => {
  const pending = new PendingChanges(10)
  pending.add(waiting([0, 3]))
  pending.add(waiting([0, 5]))
  expect(pending.all()).toEqual([progress([0, 5])])
  expect(pending.size).toBe(2)
})

test('states of two brokers that each say something wait beside each other', () => {
  const pending = new PendingChanges(10)
  pending.add(waiting([0, 5]))
  pending.add(waiting([0, 3]))
  expect(pending.all()).toEqual([progress([0, 5]), progress([0, 3])])
})
