import { describe, expect, test } from 'vitest'
import type { Arrival } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

describe('a message store', () => {
  test('gives what was appended back by queue offset, across segments and restarts', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const arrivals: Arrival[] = []
    store.onDispatched((arrival) => arrivals.push(arrival))
    const sent: string[] = []
    for (let n = 0; n < 60; n += 1) {
      sent.push(`body ${n} ${'x'.repeat(n * 7)}`)
      expect(store.append(message(sent[n] ?? '')).queueOffset).toBe(n)
    }
    await bench.clock.outcome(store.flush())
    expect(store.flushed.at).toBe(store.end)
    await bench.clock.outcome(store.dispatched.reached(store.end))
    expect(bodies(store)).toEqual(sent)
    expect(arrivals.map((arrival) => arrival.queueOffset)).toEqual(sent.map((_, index) => index))
    expect(arrivals.filter((arrival) => arrival.batchEnd)).toHaveLength(1)
    await bench.clock.outcome(store.close())

    const again = await bench.openMaster()
    expect(again.recovery).toMatchObject({
      fresh: false,
      cleanStop: true,
      lossPossible: false,
      truncatedBytes: 0,
    })
    expect(bodies(again)).toEqual(sent)
    expect(again.append(message('next')).queueOffset).toBe(60)
    bench.kill()

    const third = await bench.openMaster()
    expect(third.recovery).toMatchObject({ cleanStop: false, sameBoot: true, lossPossible: false })
    expect(bodies(third)).toEqual([...sent, 'next'])
    expect(third.lineage?.epochs.map((epoch) => epoch.epoch)).toEqual([1, 2, 3])
  })
})
