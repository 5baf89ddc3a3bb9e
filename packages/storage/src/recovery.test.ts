import { describe, expect, test } from 'vitest'
import type { MessageStore } from './index.ts'
import { StoreBench, bodies, message } from './store-bench.test-kit.ts'

const firstSegment = '/data/store/commitlog/00000000000000000000'

/** A store of `count` flushed messages whose process was killed. Returns where each message begins, and the end. */
async function killedStore(bench: StoreBench, count: number): Promise<number[]> {
  const store = await bench.openMaster()
  const offsets: number[] = []
  for (let n = 0; n < count; n += 1)
    offsets.push(store.append(message(`body ${n} ${'r'.repeat(300)}`)).offset)
  await bench.clock.outcome(store.flush())
  offsets.push(store.end)
  await bench.clock.advance(20_000) // Position file and queues follow.
  bench.kill()
  return offsets
}

async function reopen(bench: StoreBench): Promise<MessageStore> {
  const store = await bench.open()
  expect(store.dispatched.at).toBe(store.end)
  return store
}

describe('a start', () => {
  test('on an empty directory finds nothing to lose, and nothing to build on', async () => {
    const store = await new StoreBench().open()
    expect(store.recovery).toMatchObject({ fresh: true, end: 0, lossPossible: true })
    expect(store.recovery.reason).toContain('no lineage')
    expect(store.lineage).toBeUndefined()
  })

  test('cuts a torn tail off, whatever garbage it is, and nothing of it comes back', async () => {
    const bench = new StoreBench()
    const offsets = await killedStore(bench, 5)
    const end = offsets[5] ?? 0
    // A whole old record behind a torn one, as an interrupted rewrite would leave it.
    const record = Buffer.alloc((offsets[1] ?? 0) - (offsets[0] ?? 0))
    bench.disk.open(firstSegment, 'read').read(record, 0)
    record.writeBigInt64BE(BigInt(end + record.length), 28)
    bench.disk.corrupt(firstSegment, end + record.length, record)
    bench.disk.corrupt(firstSegment, end, record.subarray(0, 60))
    const store = await reopen(bench)
    expect(store.recovery).toMatchObject({ end, sameBoot: true, lossPossible: false })
    expect(store.recovery.truncatedBytes).toBeGreaterThan(record.length)
    await bench.clock.outcome(store.openEpoch())
    // The new record is as long as the torn one: the old one would follow it exactly.
    expect(store.append(message(`body x ${'r'.repeat(300)}`)).size).toBe(record.length)
    bench.kill()
    const again = await reopen(bench)
    expect(bodies(again)).toHaveLength(6)
    expect(again.recovery.truncatedBytes).toBe(0)
  })

  test('refuses a log that is damaged where it was on disk, and names the place', async () => {
    const bench = new StoreBench()
    const offsets = await killedStore(bench, 20)
    const damaged = offsets[7] ?? 0
    const bodyAt = damaged + 150
    bench.disk.corrupt(firstSegment, bodyAt, Buffer.from('!'))
    await expect(bench.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT', facts: { offset: damaged } })
    // It stays as it was, for the operator.
    await expect(bench.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT', facts: { offset: damaged } })
  })

  test('takes zeros where bytes were on disk for a loss, not for damage', async () => {
    const bench = new StoreBench()
    const offsets = await killedStore(bench, 5)
    const [, , , , from = 0, end = 0] = offsets
    bench.disk.corrupt(firstSegment, from, Buffer.alloc(end - from))
    const store = await reopen(bench)
    expect(store.recovery).toMatchObject({ end: from, lossPossible: true, sameBoot: true })
    expect(store.recovery.reason).toContain(`but ${end} was on disk`)
    expect(bodies(store)).toHaveLength(4)
    bench.kill()
    // That stays until somebody settles it, however often the process starts.
    const again = await reopen(bench)
    expect(again.recovery.lossPossible).toBe(true)
    await bench.clock.outcome(again.openEpoch())
    bench.kill()
    expect((await reopen(bench)).recovery.lossPossible).toBe(false)
  })

  test('takes a missing last segment for a loss, a missing middle one for damage', async () => {
    for (const [gone, expected] of [
      ['00000000000000008192', 'loss'],
      ['00000000000000004096', 'damage'],
    ] as const) {
      const bench = new StoreBench()
      await killedStore(bench, 23)
      expect(bench.disk.list('/data/store/commitlog')).toContain('00000000000000008192')
      for (const name of bench.disk.list('/data/store/commitlog')) {
        if (name > '00000000000000008192') bench.disk.remove(`/data/store/commitlog/${name}`)
      }
      bench.disk.remove(`/data/store/commitlog/${gone}`)
      if (expected === 'loss') expect((await reopen(bench)).recovery.lossPossible).toBe(true)
      else await expect(bench.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT', facts: { offset: 4096 } })
    }
  })

  test('takes a directory that is gone for a loss of all messages, and an empty store for a new one', async () => {
    const bench = new StoreBench()
    const offsets = await killedStore(bench, 20)
    bench.disk.remove('/data/store/commitlog')
    const store = await reopen(bench)
    expect(store.recovery).toMatchObject({ fresh: false, end: 0, lossPossible: true })
    expect(store.recovery.reason).toContain(`but ${offsets.at(-1)} was on disk`)
    expect(bodies(store)).toEqual([])
    bench.kill()
    bench.disk.remove('/data/store')
    const empty = await reopen(bench)
    expect(empty.recovery).toMatchObject({ fresh: true, lossPossible: true })
    expect(empty.isWritable).toBe(false)
  })

  test('refuses files of another length than configured', async () => {
    const bench = new StoreBench()
    await killedStore(bench, 5)
    await expect(bench.open({ segmentBytes: 2048 })).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
    await expect(bench.open({ segmentBytes: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(bench.open({ consumeQueueFileBytes: 50 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const many = new StoreBench()
    await killedStore(many, 12)
    await expect(many.open({ consumeQueueFileBytes: 140 })).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  })

  test('builds the queues again when they are gone, or disagree with the log', async () => {
    const bench = new StoreBench()
    await killedStore(bench, 20)
    bench.disk.remove('/data/store/consumequeue')
    const store = await reopen(bench)
    const expected = bodies(store)
    expect(expected).toHaveLength(20)
    bench.kill()

    const garbage = Buffer.alloc(100, 1)
    bench.disk.corrupt('/data/store/consumequeue/orders/0/00000000000000000300', 0, garbage)
    const again = await reopen(bench)
    expect(bodies(again)).toEqual(expected)
  })

  test('cuts queues off where a log ends that has lost its tail after a clean stop', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const offsets = Array.from({ length: 5 }, (_, n) => store.append(message(`body ${n}`)).offset)
    const { end } = store
    await bench.clock.outcome(store.close())
    const from = offsets[3] ?? 0
    bench.disk.corrupt(firstSegment, from, Buffer.alloc(end - from))
    const again = await reopen(bench)
    expect(again.recovery).toMatchObject({ end: from, lossPossible: true })
    expect(bodies(again)).toEqual(['body 0', 'body 1', 'body 2'])
    await bench.clock.outcome(again.openEpoch())
    expect(again.append(message('next'))).toMatchObject({ offset: from, queueOffset: 3 })
  })

  test('refuses a blank of another length than the rest of its file', async () => {
    const bench = new StoreBench()
    await killedStore(bench, 20)
    const file = bench.disk.open(firstSegment, 'read')
    const bytes = Buffer.alloc(4096)
    file.read(bytes, 0)
    const blank = bytes.lastIndexOf(Buffer.from('cbd43194', 'hex')) - 4
    expect(bytes.readInt32BE(blank)).toBe(4096 - blank)
    bench.disk.corrupt(firstSegment, blank + 3, Buffer.from([bytes.readUInt8(blank + 3) ^ 1]))
    await expect(bench.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT', facts: { offset: blank } })
  })

  test('makes good a queue unit that a killed process has half written', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    for (let n = 0; n < 3; n += 1) store.append(message(`body ${n}`))
    await bench.dispatched(store)
    bench.kill()
    bench.disk.corrupt(
      '/data/store/consumequeue/orders/0/00000000000000000000',
      2 * 20 + 10,
      Buffer.alloc(10),
    )
    bench.disk.corrupt(
      '/data/store/consumequeue/orders/0/00000000000000000000',
      2 * 20 + 11,
      Buffer.from([9]),
    )
    const again = await reopen(bench)
    expect(bodies(again)).toEqual(['body 0', 'body 1', 'body 2'])
  })

  test('rule 3.2: what is synced first is certain at once: a log of which nothing is would be emptied, and a witness of nothing', async () => {
    const bench = new StoreBench({ positionIntervalMs: 100_000 })
    const store = await bench.openMaster()
    store.append(message('first'))
    await bench.clock.outcome(store.flush())
    await bench.dispatched(store)
    await bench.clock.advance(10)
    const { end } = store
    store.append(message('later'))
    await bench.clock.outcome(store.flush())
    bench.cutPower()
    expect((await reopen(bench)).recovery.trustedEnd).toBe(end)
  })

  test('does without a damaged position file, but counts nothing as known then', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    store.append(message('one'))
    await bench.clock.outcome(store.addToRoster('replica-7'))
    await bench.clock.outcome(store.close())
    bench.disk.corrupt('/data/store/position', 30, Buffer.from('XX'))
    const again = await bench.open()
    expect(again.recovery).toMatchObject({ cleanStop: false, lossPossible: false, sameBoot: true })
    expect(again.roster).toEqual(['replica-7'])
    expect(bodies(again)).toEqual(['one'])
    bench.kill()
    bench.disk.corrupt('/data/store/position', 30, Buffer.from('XX'))
    bench.disk.corrupt('/data/store/position.bak', 30, Buffer.from('XX'))
    await expect(bench.open()).rejects.toMatchObject({ code: 'STATE_FILE_CORRUPT' })
    // Without any position file nobody knows the replicas either: only an operator may go on then.
    bench.disk.remove('/data/store/position')
    bench.disk.remove('/data/store/position.bak')
    await expect(bench.open()).rejects.toMatchObject({ code: 'STATE_FILE_CORRUPT' })
    const third = await bench.open({ acceptLoss: true })
    expect(third.recovery).toMatchObject({ fresh: false, cleanStop: false, lossPossible: true })
    expect(bodies(third)).toEqual(['one'])
  })

  test('keeps what was confirmed, and never lets it go back (rule 1.5)', async () => {
    const bench = new StoreBench()
    const offsets = await killedStore(bench, 5)
    const store = await reopen(bench)
    store.saveConfirmed(offsets[3] ?? 0)
    store.saveConfirmed(offsets[2] ?? 0)
    await bench.clock.advance(2000)
    bench.cutPower()
    const again = await reopen(bench)
    expect(again.confirmedOnDisk).toBe(offsets[3])
    expect(again.recovery).toMatchObject({ lossPossible: true, sameBoot: false })
    again.saveConfirmed(10 ** 9)
    expect(again.confirmedOnDisk).toBe(again.end)
  })

  test('goes on with store times when the wall clock has gone back (rule 5.9)', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    const first = store.append(message('one'))
    await bench.clock.outcome(store.close())
    bench.clock.skew(-3_600_000)
    const again = await bench.openMaster()
    expect(again.append(message('two')).storeTimestamp).toBe(first.storeTimestamp)
  })

  test('syncs the queues that a killed process had written, before it says that they are', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const bench = new StoreBench({ queueSyncIntervalMs: 3000 }, seed)
      const store = await bench.openMaster()
      for (let n = 0; n < 12; n += 1) store.append(message(`body ${n}`, n % 2 === 0 ? 'orders' : 'payments'))
      await bench.clock.outcome(store.flush())
      await bench.dispatched(store)
      bench.kill()
      const again = await bench.openMaster()
      again.append(message('body 12'))
      await bench.clock.advance(10_000)
      bench.cutPower()
      const third = await reopen(bench)
      expect(bodies(third)).toHaveLength(7)
      expect(bodies(third, 'payments')).toHaveLength(6)
    }
  })

  test('finds in the log whatever the queues on disk lead to', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const lazy = {
        flushIntervalMs: 100_000,
        positionIntervalMs: 100,
        queueSyncIntervalMs: 100,
        preZeroBytes: 0,
      }
      const bench = new StoreBench({ ...lazy, segmentBytes: 2 ** 23, consumeQueueFileBytes: 20_000 }, seed)
      const store = await bench.openMaster()
      for (let n = 0; n < 1500; n += 1) store.append(message(`body ${n} ${'q'.repeat(2000)}`))
      await bench.clock.advance(500)
      bench.cutPower()
      const again = await reopen(bench)
      expect(again.queue('orders', 0)?.maxOffset).toBe(1500)
      expect(again.record(again.queue('orders', 0)?.unit(1499)?.offset ?? -1).queueOffset).toBe(1499)
    }
  })

  test('does not take a flushed piece of a record for a promise of all of it', async () => {
    const source = new StoreBench()
    const master = await source.openMaster()
    const first = master.append(message('one')).size
    master.append(message('two'))
    for (const how of ['kill', 'power'] as const) {
      const bench = new StoreBench()
      const slave = await bench.open()
      const lineage = master.lineage
      if (lineage === undefined) throw new Error('a master has a lineage')
      await bench.clock.outcome(slave.adoptLineage(lineage))
      slave.appendRaw(0, master.read(0, first + 70))
      await bench.clock.outcome(slave.flush())
      expect(slave.flushed.at).toBe(first + 70)
      await bench.clock.advance(20_000)
      if (how === 'kill') bench.kill()
      else bench.cutPower()
      const again = await reopen(bench)
      expect(again.end).toBe(first)
      expect(again.recovery.reason).not.toContain('was on disk')
    }
  })
})
