import type { Lineage } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { ReplicatedStore } from './replicated-store.ts'
import { ASYNC, BrokerSet } from './testing/broker-set.ts'

const FIRST: Lineage = { logId: '0'.repeat(32), epochs: [] }
const NEXT: Lineage = { logId: '0'.repeat(32), epochs: [{ epoch: 1, start: 0, opener: '1'.repeat(16) }] }

/** The store of a slave that nobody leads yet, and how often it was said to have another lineage. */
async function opened() {
  const set = new BrokerSet(ASYNC)
  const { store } = await set.start('slave')
  const log = new ReplicatedStore(store)
  const adopt = (lineage: Lineage): Promise<void> => set.time.outcome(log.adoptLineage(lineage))
  return { log, adopt }
}

test('who has to forget what a lineage has lost hears of another one only, not of each acceptance (rule 5.2)', async () => {
  const { log, adopt } = await opened()
  let heard = 0
  log.onLineage(() => (heard += 1))
  const counts: number[] = []
  for (const lineage of [FIRST, FIRST, NEXT, NEXT, NEXT]) {
    await adopt(lineage)
    counts.push(heard)
  }
  expect(counts).toEqual([1, 1, 2, 2, 2])
})

test('one that could not take it, for want of room for instance, hears of it again with the next acceptance', async () => {
  const { log, adopt } = await opened()
  let isFull = true
  const took: string[] = []
  log.onLineage(() => {
    if (isFull) throw new Error('the disk is full')
    took.push('all')
  })
  await expect(adopt(FIRST)).rejects.toThrow('the disk is full')
  isFull = false
  await adopt(FIRST)
  await adopt(FIRST)
  expect(took).toEqual(['all'])
})
