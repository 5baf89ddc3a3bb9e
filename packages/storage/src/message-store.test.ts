import { crc32 } from 'node:zlib'
import { SysFlag } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import type { Arrival, MessageToAppend } from './index.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

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

describe('appending', () => {
  test('refuses what a record cannot hold, and uses no queue offset for it', async () => {
    const store = await new StoreBench().openMaster()
    const illegal = expect.objectContaining({ code: 'MESSAGE_ILLEGAL' })
    const refused: Partial<MessageToAppend>[] = [
      { body: Buffer.alloc(2049) },
      { topic: '' },
      { topic: '../etc' },
      { topic: 'a.b' },
      { topic: 't'.repeat(128) },
      { topic: `%RETRY%${'g'.repeat(250)}` },
      { queueId: -1 },
      { queueId: 1.5 },
      { queueId: 70_000 },
      { properties: 'p'.repeat(40_000) },
      { sysFlag: SysFlag.innerBatch },
      { flag: 2 ** 40 },
      { bornHost: { ip: '10.0.0.1', port: -1 } },
    ]
    for (const change of refused) {
      expect(() => store.append({ ...message('x'), ...change }), JSON.stringify(change)).toThrow(illegal)
    }
    expect(store.append(message('fine')).queueOffset).toBe(0)
    expect(store.append(message('long', `%RETRY%${'g'.repeat(240)}`)).queueOffset).toBe(0)
    const segment = await new StoreBench({ maxMessageBytes: 8192 }).openMaster()
    expect(() => segment.append(message('y'.repeat(4000)))).toThrow(illegal)
  })

  test('keeps halves and rollbacks of transactions out of the queues', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const seen: number[] = []
    store.onDispatched((arrival) => seen.push(arrival.offset))
    const flags = [0, SysFlag.transactionPrepared, SysFlag.transactionRollback, SysFlag.transactionCommit]
    const appended = flags.map((sysFlag) => store.append({ ...message('t'), sysFlag }))
    await bench.dispatched(store)
    expect(appended.map((place) => place.queueOffset)).toEqual([0, 0, 0, 1])
    expect(seen).toEqual([appended[0]?.offset, appended[3]?.offset])
  })

  test('fills a segment to the last byte a record may take', async () => {
    const overhead = (await new StoreBench().openMaster()).append(message('')).size
    for (let spare = 6; spare <= 11; spare += 1) {
      const bench = new StoreBench({ maxMessageBytes: 4096 })
      const store = await bench.openMaster()
      store.append(message('x'.repeat(4096 - overhead - spare - 2 * overhead)))
      store.append(message('y'.repeat(overhead)))
      const next = store.append(message('z'))
      const fits = spare >= 8
      // The second record leaves exactly `spare` bytes, or goes to the next segment.
      expect(store.record(fits ? 4096 - spare - 2 * overhead : 4096).body.toString()[0]).toBe('y')
      expect(next.offset).toBeGreaterThanOrEqual(4096)
      await bench.clock.outcome(store.flush())
      bench.kill()
      expect(bodies(await bench.open())).toHaveLength(3)
    }
  })
})

describe('the disk', () => {
  test('gets what nobody waits for within the interval; then nothing runs any more', async () => {
    const bench = new StoreBench({ flushIntervalMs: 500 })
    const store = await bench.openMaster()
    await bench.clock.advance(60_000)
    expect(bench.clock.pending).toBe(0)
    store.append(message('lazy'))
    await bench.clock.advance(499)
    store.append(message('later'))
    await bench.clock.advance(11)
    expect(store.flushed.at).toBe(store.end)
    await bench.clock.advance(60_000)
    expect(bench.clock.pending).toBe(0)
    bench.cutPower()
    expect(bodies(await bench.open())).toEqual(['lazy', 'later'])
  })

  test('has real zeros, and the next segment, ahead of the writer', async () => {
    const bench = new StoreBench({ preZeroBytes: 2048 })
    const store = await bench.openMaster()
    for (let n = 0; n < 6; n += 1) {
      store.append(message('a'.repeat(400)))
      await bench.clock.advance(50)
    }
    expect(bench.disk.list('/data/store/commitlog')).toHaveLength(2)
    // Nothing has to be allocated for what comes next.
    bench.disk.resize(1)
    for (let n = 0; n < 2; n += 1) store.append(message('b'.repeat(400)))
    bench.disk.resize(2 ** 40)
    expect(bodies(store).join('')).toHaveLength(6 * 400)
  })

  test('leaves the last tenth of a small disk to the progress of consumers, and grows again when there is room', async () => {
    const bench = new StoreBench({ preZeroBytes: 0, segmentBytes: 65_536, maxMessageBytes: 32_768 })
    const store = await bench.openMaster()
    const used = 2 ** 40 - bench.disk.space('/').free
    bench.disk.resize(used + 2_000_000)
    expect(() => {
      for (;;) store.append(message('x'.repeat(10_000)))
    }).toThrow(
      expect.objectContaining({ code: 'DISK_FULL', message: expect.stringContaining('is kept for') }),
    )
    const { free, total } = bench.disk.space('/')
    expect(free / total).toBeGreaterThan(0.09)
    expect(store.isDiskFull).toBe(true)
    bench.disk.resize(2 ** 40)
    expect(store.isDiskFull).toBe(false)
    store.append(message('again'))
  })

  test('is written at most one file per queue and batch', async () => {
    const bench = new StoreBench({ consumeQueueFileBytes: 20_000, preZeroBytes: 0, segmentBytes: 65_536 })
    const store = await bench.openMaster()
    store.append(message('first'))
    await bench.dispatched(store)
    let writes = 0
    bench.disk.fail({ call: 'write', code: 'EIO', nth: 2, matching: /consumequeue/ })
    for (let n = 0; n < 100; n += 1) store.append(message('batch'))
    await bench.clock.settle()
    writes = store.queue('orders', 0)?.maxOffset ?? 0
    expect(writes).toBe(101)
    expect(bench.logger.lines).toEqual([])
  })
})

describe('reading', () => {
  test('gives views of the tail, the same bytes as the file has, never across a segment end', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    for (let n = 0; n < 30; n += 1) store.append(message(`r ${n} ${'r'.repeat(n * 11)}`))
    const tail = logBytes(store)
    await bench.clock.outcome(store.close())
    const again = await bench.open()
    expect(logBytes(again).equals(tail)).toBe(true)
    for (let at = 0; at <= again.end; at += 97) {
      const piece = again.read(at, 5000)
      expect(piece.length).toBeGreaterThan(at === again.end ? -1 : 0)
      expect(Math.floor((at + piece.length - 1) / 4096)).toBe(Math.floor(at / 4096))
      expect(piece.equals(tail.subarray(at, at + piece.length))).toBe(true)
    }
    expect(again.read(again.end, 10)).toHaveLength(0)
    expect(again.checksum(10, 8500)).toBe(crc32(tail.subarray(10, 8500)))
    const outside = expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' })
    expect(() => again.read(again.end + 1, 10)).toThrow(outside)
    expect(() => again.read(-1, 10)).toThrow(outside)
    expect(() => again.checksum(0, again.end + 1)).toThrow(outside)
  })

  test('finds no record where none begins', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const { size } = store.append(message('one'))
    store.append(message('two'))
    const corrupt = expect.objectContaining({ code: 'LOG_CORRUPT' })
    expect(store.record(size).body.toString()).toBe('two')
    expect(() => store.record(1)).toThrow(corrupt)
    expect(() => store.record(0, size + 1)).toThrow(corrupt)
    expect(() => store.record(store.end)).toThrow(corrupt)
    expect(() => store.record(store.end, 100)).toThrow('asked for')
  })

  test('goes on after a long backlog, in bounded batches and in order', async () => {
    const bench = new StoreBench({ segmentBytes: 2 ** 20, consumeQueueFileBytes: 20_000 })
    const store = await bench.openMaster()
    const seen: number[] = []
    let batches = 0
    store.onDispatched((arrival) => {
      seen.push(arrival.queueOffset)
      if (arrival.batchEnd) batches += 1
    })
    for (let n = 0; n < 20_000; n += 1) store.append(message('backlog'))
    await bench.dispatched(store)
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => index))
    expect(batches).toBeGreaterThan(5)
    expect(store.queue('orders', 0)?.maxOffset).toBe(20_000)
  })

  test('ends with the store', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const waiting = store.written.reached(1000)
    waiting.catch(() => {})
    await bench.clock.outcome(store.close())
    await bench.clock.outcome(store.close())
    const closed = expect.objectContaining({ code: 'LOG_CLOSED' })
    await expect(waiting).rejects.toEqual(closed)
    expect(() => store.append(message('x'))).toThrow(closed)
    expect(() => store.read(0, 1)).toThrow(closed)
    await expect(store.flush()).rejects.toEqual(closed)
    await expect(store.openEpoch()).rejects.toEqual(closed)
  })
})
