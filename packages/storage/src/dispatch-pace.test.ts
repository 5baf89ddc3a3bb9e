import { expect, test } from 'vitest'
import { DispatchPace } from './dispatch-pace.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

test('while a copy grows, dispatch works a quarter of the time at most, and not for every batch', () => {
  const pace = new DispatchPace()
  pace.copied(100)
  expect(pace.pauseMs(100, 1_000)).toBe(0)
  pace.worked(100, 100.1)
  pace.copied(101)
  expect(pace.pauseMs(101, 1_000)).toBeCloseTo(1.1)
  pace.worked(103, 113)
  pace.copied(113)
  expect(pace.pauseMs(113, 1_000)).toBe(30)
  pace.copied(143)
  expect(pace.pauseMs(143, 1_000)).toBe(0)
})

test('a copy that rests, and a queue that is far behind, are not waited with', () => {
  const pace = new DispatchPace()
  pace.copied(100)
  pace.worked(100, 200)
  expect(pace.pauseMs(110, 1_000)).toBe(0)
  pace.copied(200)
  expect(pace.pauseMs(200, 1_000)).toBe(300)
  expect(pace.pauseMs(200, 1024 ** 3)).toBe(0)
})

test('a slave that copies faster than it keeps bytes in memory dispatches them from its files, all of them', async () => {
  const bench = new StoreBench({ tailBytes: 4096 })
  const master = await bench.openMaster()
  for (let n = 0; n < 300; n += 1) master.append(message(`${n} ${'m'.repeat((n * 37) % 900)}`, 'orders', 0))
  await bench.dispatched(master)
  const slaveBench = new StoreBench({ tailBytes: 4096 })
  const slave = await slaveBench.open()
  while (slave.end < master.end) slave.appendRaw(slave.end, master.read(slave.end, 100_000))
  await slaveBench.dispatched(slave)
  expect(bodies(slave, 'orders', 0)).toEqual(bodies(master, 'orders', 0))
})

test('what an append wakes otherwise comes before its dispatch: a slave waits for that', async () => {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  const order: string[] = []
  master.dispatched.onAdvance(() => order.push('dispatched'))
  master.written.onAdvance(() => queueMicrotask(() => order.push('sent')))
  master.append(message('m', 'orders', 0))
  await bench.dispatched(master)
  expect(order).toEqual(['sent', 'dispatched'])
})
