import { expect, test } from 'vitest'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

test('a replica whose name could not be written down does not count as known when it is asked for again', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /position/ })
  bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /position/ })
  await expect(bench.clock.outcome(master.addToRoster('slave-1'))).rejects.toThrow('ENOSPC')
  await expect(bench.clock.outcome(master.addToRoster('slave-1'))).rejects.toThrow('ENOSPC')
  await bench.clock.outcome(master.addToRoster('slave-1'))
  bench.disk.crash()
  const again = await bench.open()
  expect(again.roster).toEqual(['slave-1'])
})

test('the disk has no room to save the bytes: nothing is cut, nothing half saved stays, and it can be tried again', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  for (let n = 0; n < 10; n += 1) master.append(message(`${n}`))
  await bench.dispatched(master)
  const { end } = master
  const at = master.record(0).size
  bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /diverged/, nth: 1 })
  await expect(bench.clock.outcome(master.truncateTo(at))).rejects.toThrow('ENOSPC')
  expect([master.end, master.isWritable]).toEqual([end, true])
  master.append(message('goes on'))
  for (const name of bench.disk.list('/data/store/diverged')) {
    expect(bench.disk.list(`/data/store/diverged/${name}`)).toEqual([])
  }
  await bench.clock.advance(1_000)
  await bench.clock.outcome(master.truncateTo(at))
  expect(master.end).toBe(at)
})

test('an old segment that cannot be opened is an error of the kind that callers expect', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster({ tailBytes: 4096 })
  for (let n = 0; n < 40; n += 1) master.append(message(`${n} ${'m'.repeat(900)}`))
  await bench.dispatched(master)
  await bench.clock.outcome(master.flush())
  bench.disk.fail({ call: 'open', code: 'EMFILE', matching: /commitlog/ })
  expect(() => master.read(0, 100)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
  expect(master.read(0, 100)).toHaveLength(100)
})

test('an epoch is not opened, and nothing is cut, while queues cannot be written', async () => {
  const bench = new StoreBench()
  const source = await bench.openMaster()
  for (let n = 0; n < 5; n += 1) source.append(message(`${n}`))
  const bytes = logBytes(source)
  bench.kill()

  const slave = await bench.open({ root: '/data/slave' })
  // Once when the bytes come, once more when the epoch is to be opened.
  bench.disk.fail({ call: 'write', code: 'EIO', matching: /slave\/consumequeue/ })
  bench.disk.fail({ call: 'write', code: 'EIO', matching: /slave\/consumequeue/ })
  slave.appendRaw(0, bytes)
  await bench.clock.outcome(slave.createLineage())
  const refused = slave.openEpoch()
  await expect(bench.clock.outcome(refused)).rejects.toMatchObject({ code: 'SYSTEM_BUSY' })
  expect(slave.end).toBe(bytes.length)

  await bench.clock.advance(2000)
  await bench.clock.outcome(slave.openEpoch())
  expect(bodies(slave)).toEqual(['0', '1', '2', '3', '4'])
})
