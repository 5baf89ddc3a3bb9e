import { SeededRandom, SimulatedClock, SimulatedFiles, survivals } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { cutLog } from './log-cut.ts'
import { logFileName } from './log-file-name.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const SEGMENT_BYTES = 4096
const directory = '/data/commitlog'

function machine(): { readonly clock: SimulatedClock; readonly disk: SimulatedFiles } {
  const clock = new SimulatedClock()
  return { clock, disk: new SimulatedFiles({ clock, random: new SeededRandom(1) }) }
}

/** Whole segments of ones, on disk. */
async function segments(count: number): Promise<ReturnType<typeof machine>> {
  const { clock, disk } = machine()
  disk.makeDirectory(directory)
  for (let start = 0; start < count * SEGMENT_BYTES; start += SEGMENT_BYTES) {
    const file = disk.open(`${directory}/${logFileName(start)}`, 'create')
    file.write(Buffer.alloc(SEGMENT_BYTES, 1), 0)
    await clock.outcome(file.dataSync())
  }
  for (const name of [directory, '/data']) await clock.outcome(disk.syncDirectory(name))
  return { clock, disk }
}

test('a cut is on the disk when it is done: nothing of what it removed comes back with a power cut', async () => {
  const { clock, disk } = await segments(3)
  await clock.outcome(cutLog(disk, directory, 5000, SEGMENT_BYTES))
  disk.crashAs({ name: 'nothing', keeps: () => false })
  expect(disk.list(directory)).toEqual([logFileName(0), logFileName(4096)])
  const bytes = Buffer.alloc(SEGMENT_BYTES)
  expect(disk.open(`${directory}/${logFileName(4096)}`, 'read').read(bytes, 0)).toBe(SEGMENT_BYTES)
  const expected = Buffer.concat([Buffer.alloc(5000 - 4096, 1), Buffer.alloc(2 * 4096 - 5000)])
  expect(bytes.equals(expected)).toBe(true)
})

test('wherever a power cut falls into a cut, no file is left behind a gap', async () => {
  const { disk } = await segments(4)
  let boundaries = 0
  for (let syncs = 0; syncs < 6; syncs += 1) {
    const clock = new SimulatedClock()
    const fork = disk.fork({ clock, random: new SeededRandom(1), syncMs: { min: 10, max: 10 } })
    const cutting = cutLog(fork, directory, 4096, SEGMENT_BYTES)
    cutting.catch(() => {})
    await clock.advance(10 * syncs + 5)
    for (const survival of survivals(fork.unsynced())) {
      const after = fork.fork({ clock, random: new SeededRandom(1) })
      after.crashAs(survival)
      const names = after.list(directory)
      expect(names.length).toBeGreaterThan(0)
      expect(names, survival.name).toEqual(names.map((_, index) => logFileName(index * SEGMENT_BYTES)))
      boundaries += 1
    }
  }
  expect(boundaries).toBeGreaterThan(10)
})

/** Each record is a sector: an old one behind a new one would fit. */
function sectorBody(name: string): string {
  return name.padEnd(512 - 91 - 'orders'.length - 'TAGS_TagA_'.length, '.')
}

test('records of equal size behind a cut: a torn rewrite never ends in old ones (ARCHITECTURE.md, "What must always be true", 5)', async () => {
  const bench = new StoreBench({ preZeroBytes: 0, flushIntervalMs: 60_000 })
  const store = await bench.openMaster()
  for (let n = 0; n < 6; n += 1) expect(store.append(message(sectorBody(`old ${n}`))).size).toBe(512)
  await bench.clock.outcome(store.flush())
  await bench.clock.outcome(store.truncateTo(2 * 512))
  await bench.clock.outcome(store.openEpoch())
  for (let n = 2; n < 5; n += 1) store.append(message(sectorBody(`new ${n}`)))
  await bench.clock.settle()
  const sent = bodies(store)
  expect(sent).toHaveLength(5)
  let tried = 0
  for (const survival of survivals(bench.disk.unsynced())) {
    const after = new StoreBench({ preZeroBytes: 0, bootId: 'after' })
    const disk = bench.disk.fork({ clock: after.clock, random: after.random })
    disk.crashAs(survival)
    const found = bodies(await after.clock.outcome(after.opening({}, disk.mount())))
    expect(found, survival.name).toEqual(sent.slice(0, found.length))
    expect(found.length).toBeGreaterThanOrEqual(2)
    tried += 1
  }
  expect(tried).toBeGreaterThan(10)
})
