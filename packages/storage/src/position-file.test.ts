import { replaceStateFile } from '@tandemmq/base'
import { encodeChecked } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { noPosition, readPosition } from './position-file.ts'
import { StoreBench } from './store-bench.test-kit.ts'

const ROOT = '/data/store'

test('a position file of a version that kept no forgotten replicas is read', async () => {
  const { clock, disk } = new StoreBench()
  const { forgotten: _, ...older } = { ...noPosition, roster: ['slave-1'] }
  const files = disk.mount()
  files.makeDirectory(ROOT)
  await clock.outcome(
    replaceStateFile(files, `${ROOT}/position`, encodeChecked('TandemMQ position 1', older)),
  )
  expect(readPosition(files, ROOT)).toMatchObject({ roster: ['slave-1'], forgotten: [] })
})

test('a replica that was forgotten is so after the next start, and until it is counted again', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  await bench.clock.outcome(master.addToRoster('slave-1'))
  await bench.clock.outcome(master.removeFromRoster('slave-1'))
  bench.cutPower()
  const again = await bench.openMaster()
  expect(again).toMatchObject({ roster: [], forgotten: ['slave-1'] })
  await bench.clock.outcome(again.addToRoster('slave-1'))
  expect(readPosition(bench.disk.mount(), ROOT)).toMatchObject({ roster: ['slave-1'], forgotten: [] })
})

test('of ever more that are forgotten the last 256 are kept', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  for (let n = 0; n < 260; n += 1) await bench.clock.outcome(master.removeFromRoster(`slave-${n}`))
  expect(master.forgotten).toHaveLength(256)
  expect(master.forgotten.at(-1)).toBe('slave-259')
})
