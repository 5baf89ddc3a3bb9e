import { expect, test } from 'vitest'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const commitLog = '/data/store/commitlog'

test('names of two new files, of which a power cut keeps the later one: nothing is left of either, and the log is not refused', async () => {
  const bench = new StoreBench({ preZeroBytes: 0 })
  const store = await bench.openMaster()
  for (let n = 0; n < 30; n += 1) store.append(message(`${n} ${'x'.repeat(400)}`))
  const later = new Set(
    bench.disk.unsynced().flatMap(({ path, order }) => (path.endsWith('4096') ? [order] : [])),
  )
  expect(later.size).toBeGreaterThan(3)
  bench.disk.crashAs({ name: 'the second file', keeps: (order) => later.has(order) })
  expect(bench.disk.list(commitLog)).toEqual(['00000000000000004096'])
  const again = await bench.openMaster()
  expect([again.minOffset, again.end, bodies(again)]).toEqual([0, 0, []])
  expect(again.append(message('first'))).toMatchObject({ offset: 0, queueOffset: 0 })
})

test('behind what was flushed, files after a gap are a torn tail', async () => {
  const bench = new StoreBench({ preZeroBytes: 0 })
  const store = await bench.openMaster()
  store.append(message('flushed'))
  await bench.clock.outcome(store.flush())
  await bench.clock.advance(10_000)
  for (let n = 0; n < 30; n += 1) store.append(message(`${n} ${'x'.repeat(400)}`))
  const lost = new Set(
    bench.disk
      .unsynced()
      .flatMap(({ path, order }) => (path.endsWith('/00000000000000004096') ? [order] : [])),
  )
  bench.disk.crashAs({ name: 'all but the second file', keeps: (order) => !lost.has(order) })
  expect(bench.disk.list(commitLog)).not.toContain('00000000000000004096')
  const again = await bench.openMaster()
  expect(bodies(again)[0]).toBe('flushed')
  expect(again.end).toBe(4096)
  expect(bench.disk.list(commitLog)).toEqual(['00000000000000000000'])
})

test('a file whose length was lost has it again before anybody reads from it', async () => {
  const bench = new StoreBench({ preZeroBytes: 0 })
  const store = await bench.openMaster()
  for (let n = 0; n < 12; n += 1) store.append(message(`${n} ${'x'.repeat(400)}`))
  const lengths = new Set(
    bench.disk
      .unsynced()
      .flatMap(({ kind, path, order }) => (kind === 'truncate' && path.startsWith(commitLog) ? [order] : [])),
  )
  bench.disk.crashAs({ name: 'all but the lengths', keeps: (order) => !lengths.has(order) })
  const again = await bench.open()
  expect(bodies(again)).toHaveLength(12)
  for (let at = 0; at < again.end;) at += again.read(at, 4096).length
})
