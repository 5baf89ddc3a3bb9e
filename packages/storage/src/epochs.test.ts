import { readWhole } from '@tandemmq/base'
import { decodeEpochFile } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { StoreBench, message } from './store-bench.test-kit.ts'

/** What Apache would read. */
function apacheEpochs(bench: StoreBench): unknown {
  return decodeEpochFile(readWhole(bench.disk.mount(), '/data/store/epochFileCheckpoint').toString())
}

test('a log has an id of 128 bits and openers of 64, and its epochs stand in a file as Apache has it (rule 1.1)', async () => {
  const bench = new StoreBench()
  const first = await bench.openMaster()
  first.append(message('one'))
  const { end } = first
  await bench.clock.outcome(first.close())
  const second = await bench.openMaster()
  const { lineage } = second
  expect(lineage?.logId).toMatch(/^[0-9a-f]{32}$/)
  expect(lineage?.epochs.map(({ opener }) => opener)).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}$/),
    expect.stringMatching(/^[0-9a-f]{16}$/),
  ])
  expect(new Set(lineage?.epochs.map(({ opener }) => opener)).size).toBe(2)
  const starts = [
    { epoch: 1, start: 0 },
    { epoch: 2, start: end },
  ]
  expect(lineage?.epochs).toMatchObject(starts)
  expect(apacheEpochs(bench)).toEqual(starts)
})

test('an epoch that got no bytes is replaced by the higher number, not added; its opener is another (rule 1.1)', async () => {
  const bench = new StoreBench()
  const first = await bench.openMaster()
  first.append(message('one'))
  const { end } = first
  await bench.clock.outcome(first.close())
  const openers = new Set<string | undefined>()
  for (const epoch of [2, 3, 4]) {
    const idle = await bench.openMaster()
    expect(idle.lineage?.epochs).toMatchObject([
      { epoch: 1, start: 0 },
      { epoch, start: end },
    ])
    openers.add(idle.lineage?.epochs[1]?.opener)
    await bench.clock.outcome(idle.close())
  }
  expect(openers.size).toBe(3)
  expect(apacheEpochs(bench)).toEqual([
    { epoch: 1, start: 0 },
    { epoch: 4, start: end },
  ])
})

test('every start of a master opens an epoch before it takes a message (rule 1.2)', async () => {
  const bench = new StoreBench()
  const first = await bench.openMaster()
  first.append(message('one'))
  await bench.clock.outcome(first.close())
  const again = await bench.open()
  expect(again.lineage?.epochs).toHaveLength(1)
  expect(() => again.append(message('two'))).toThrow('no epoch was opened')
  const opening = again.openEpoch()
  expect(() => again.append(message('two'))).toThrow('no epoch was opened')
  await bench.clock.outcome(opening)
  again.append(message('two'))
})

test('an epoch is on disk before anything is appended in it, whenever the power is cut (rule 1.2)', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const bench = new StoreBench({}, seed, { min: 1, max: 20 })
    const first = await bench.openMaster()
    first.append(message('one'))
    await bench.clock.outcome(first.close())
    const again = await bench.open()
    let hasAppended = false
    void again.openEpoch().then(() => {
      again.append(message('two'))
      hasAppended = true
    })
    await bench.clock.advance(bench.random.below(90))
    bench.cutPower()
    const last = await bench.open()
    const isThere = last.lineage?.epochs.some(({ epoch }) => epoch === 2) === true
    expect(hasAppended && !isThere, `seed ${seed}`).toBe(false)
    const epoch = await bench.clock.outcome(last.openEpoch())
    expect(epoch.epoch).toBeGreaterThan(isThere ? 2 : 1)
  }
})
