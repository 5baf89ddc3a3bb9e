import { expect, test } from 'vitest'
import { GENERATION_ZERO } from './generation.ts'
import type { LogKnowledge } from './log-knowledge.ts'
import { World } from './world.test-data.ts'

const JOURNAL = '/data/journal/progress.journal'

test('progress that waits for a log which is being copied is written down when more of it counts, not at each append', async () => {
  const world = new World()
  let end = 0
  const log: LogKnowledge = { knowsStamp: ({ physicalOffset }) => physicalOffset < end || 'later' }
  const store = await world.process({}, log)
  const stamp = { logEpoch: 1, physicalOffset: 100_000 }
  store.merge({
    progress: [
      {
        kind: 'progress',
        group: 'G',
        topic: 'Orders',
        queueId: 0,
        generation: GENERATION_ZERO,
        voidFrom: Number.MAX_SAFE_INTEGER,
        acked: [[0, 1_000]],
        marks: [{ queueOffset: 999, stamp }],
        leases: [],
      },
    ],
  })
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
