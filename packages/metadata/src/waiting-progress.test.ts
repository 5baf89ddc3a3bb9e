import { expect, test } from 'vitest'
import type { ProgressState } from './change.ts'
import { GENERATION_ZERO } from './generation.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { World, key, stamp } from './world.test-data.ts'

const JOURNAL = '/data/journal/progress.journal'

/** All of a queue, whose records of 100 bytes follow each other in the log. */
const acknowledged = (count: number): ProgressState => ({
  kind: 'progress',
  ...key,
  generation: GENERATION_ZERO,
  voidFrom: Number.MAX_SAFE_INTEGER,
  acked: [[0, count]],
  marks: [{ queueOffset: count - 1, stamp: stamp(count - 1) }],
  leases: [],
})

test('progress that waits for a log which is being copied is written down when more of it counts, not at each append', async () => {
  const world = new World()
  let end = 0
  const log: LogKnowledge = { knowsStamp: ({ physicalOffset }) => physicalOffset < end || 'later' }
  const store = await world.process({}, log)
  store.merge({ progress: [acknowledged(1_000)] })
  const advance = (): void => {
    end += 1_000
    store.logAdvanced()
  }
  advance()
  const before = world.text(JOURNAL).length
  for (let at = 0; at < 98; at++) advance()
  expect(world.text(JOURNAL)).toHaveLength(before)
  expect(store.progress.queue('G', 'Orders', 0).floor).toBe(0)
  for (let at = 0; at < 2; at++) advance()
  expect(store.progress.queue('G', 'Orders', 0).floor).toBe(1_000)
  expect(store.pending).toBe(0)
})

test('of what waits, that of the records which are here counts when this broker begins to serve', async () => {
  let end = 0
  const log: LogKnowledge = {
    knowsStamp: ({ physicalOffset }) => physicalOffset < end || 'later',
    held: () => ({ end: end / 100, mayGrow: true }),
  }
  const store = await new World().store({}, log)
  store.merge({ progress: [acknowledged(1_000)] })
  end = 40_000
  store.logAdvanced()
  expect(store.progress.queue('G', 'Orders', 0).floor).toBe(0)
  store.countHeld()
  expect(store.progress.queue('G', 'Orders', 0).floor).toBe(400)
  expect(store.pending).toBe(2)
})
