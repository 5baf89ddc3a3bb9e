import { describe, expect, test } from 'vitest'
import type { Arrival, MessageStore } from './index.ts'
import { StoreBench, bodies, logBytes, message } from './store-bench.test-kit.ts'

/** A master's log over several segments, and what its queues hold. */
async function masterWith(
  count: number,
): Promise<{ bench: StoreBench; master: MessageStore; arrivals: Arrival[] }> {
  const bench = new StoreBench()
  const master = await bench.openMaster()
  const arrivals: Arrival[] = []
  master.onDispatched((arrival) => arrivals.push(arrival))
  for (let n = 0; n < count; n += 1) {
    master.append(message(`${n} ${'m'.repeat((n * 37) % 900)}`, n % 3 === 0 ? 'orders' : 'payments', n % 2))
  }
  await bench.dispatched(master)
  return { bench, master, arrivals }
}

/** Hands the master's bytes from the slave's end on over in pieces of random size. */
function copy(from: MessageStore, to: MessageStore, bench: StoreBench, until = from.end): void {
  let at = to.end
  while (at < until) {
    const piece = from.read(at, Math.min(1 + bench.random.below(700), until - at))
    to.appendRaw(at, Buffer.from(piece))
    at += piece.length
  }
}

function sameArrivals(arrivals: readonly Arrival[]): unknown[] {
  return arrivals.map((arrival) => ({ ...arrival, batchEnd: false }))
}

describe('a slave', () => {
  test('gets the same log, queues and arrivals from any cutting of the bytes', async () => {
    const { master, arrivals } = await masterWith(60)
    for (let seed = 1; seed <= 20; seed += 1) {
      const bench = new StoreBench({}, seed)
      const slave = await bench.open()
      const seen: Arrival[] = []
      slave.onDispatched((arrival) => seen.push(arrival))
      while (slave.end < master.end) {
        copy(master, slave, bench, Math.min(master.end, slave.end + 3000))
        if (bench.random.chance(1, 2)) await bench.clock.advance(bench.random.below(800))
        expect(slave.dispatched.at).toBeLessThanOrEqual(slave.end)
      }
      await bench.dispatched(slave)
      expect(logBytes(slave).equals(logBytes(master))).toBe(true)
      expect(sameArrivals(seen)).toEqual(sameArrivals(arrivals))
      expect(bodies(slave, 'payments', 1)).toEqual(bodies(master, 'payments', 1))
    }
  })

  test('waits for the rest of a record, and goes on after a restart at a whole one', async () => {
    const { master } = await masterWith(10)
    const bench = new StoreBench()
    const slave = await bench.open()
    const first = master.record(0).size
    slave.appendRaw(0, master.read(0, first + 50))
    await bench.clock.outcome(slave.flush())
    await bench.clock.settle()
    expect(slave.dispatched.at).toBe(first)
    expect(slave.end).toBe(first + 50)
    for (const how of ['close', 'kill', 'power'] as const) {
      const open = how === 'close' ? slave : await bench.open()
      if (how !== 'close') open.appendRaw(first, master.read(first, 50))
      if (how === 'close') await bench.clock.outcome(open.close())
      else await bench.clock.outcome(open.flush())
      if (how === 'kill') bench.kill()
      if (how === 'power') bench.cutPower()
      const again = await bench.open()
      expect(again.end).toBe(first)
      expect(again.recovery.truncatedBytes).toBe(50 - 1) // The last of the 50 is a zero.
      bench.kill()
    }
  })

  test('begins where the master begins, at any segment start', async () => {
    const { master } = await masterWith(60)
    const bench = new StoreBench()
    const slave = await bench.open()
    expect(() => slave.appendRaw(4096 + 8, master.read(4096, 100))).toThrow('do not continue')
    for (let at = 8192; at < master.end;) {
      const piece = master.read(at, 10_000)
      slave.appendRaw(at, piece)
      at += piece.length
    }
    await bench.dispatched(slave)
    expect(slave.minOffset).toBe(8192)
    expect(() => slave.read(8191, 1)).toThrow('the log begins at 8192')
    const own = slave.queue('payments', 1)
    const theirs = master.queue('payments', 1)
    expect(own?.maxOffset).toBe(theirs?.maxOffset)
    expect(own?.minOffset).toBe(theirs?.offsetAtOrAfter(8192))
    expect(own?.minOffset).toBeGreaterThan(0)
    expect(own?.unit(own?.minOffset ?? -1)).toEqual(theirs?.unit(own?.minOffset ?? -1))
    const min = own?.minOffset
    await bench.clock.outcome(slave.close())
    const again = await bench.open()
    expect(again.minOffset).toBe(8192)
    expect(again.queue('payments', 1)?.minOffset).toBe(min)
    expect(again.queue('payments', 1)?.maxOffset).toBe(theirs?.maxOffset)
  })

  test('refuses bytes that leave a gap, go back, or cross a segment end', async () => {
    const { master } = await masterWith(60)
    const bench = new StoreBench()
    const slave = await bench.open()
    slave.appendRaw(0, master.read(0, 500))
    const refused = expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' })
    expect(() => slave.appendRaw(499, Buffer.alloc(1))).toThrow(refused)
    expect(() => slave.appendRaw(501, Buffer.alloc(1))).toThrow(refused)
    expect(() => slave.appendRaw(500, Buffer.alloc(4000))).toThrow(refused)
    expect(slave.end).toBe(500)
  })

  test('never appends messages of its own, and a master never takes raw bytes (rule 1.2)', async () => {
    const { bench, master } = await masterWith(5)
    expect(() => master.appendRaw(master.end, Buffer.alloc(4))).toThrow('messages of its own')
    const other = new StoreBench()
    const slave = await other.open()
    expect(() => slave.append(message('mine'))).toThrow('no epoch was opened')
    const lineage = master.lineage
    if (lineage === undefined) throw new Error('a master has a lineage')
    await other.clock.outcome(slave.adoptLineage(lineage))
    copy(master, slave, other)
    // Promoted: it goes on with the queue offsets it has copied, behind an unfinished record that it drops.
    const whole = slave.end
    const next = master.queue('orders', 0)?.maxOffset
    master.append(message('lost half'))
    slave.appendRaw(whole, master.read(whole, 20))
    const epoch = await other.clock.outcome(slave.openEpoch(7))
    expect(epoch).toMatchObject({ epoch: 7, start: whole })
    expect(slave.append(message('x', 'orders', 0)).queueOffset).toBe(next)
    expect(slave.epochAt(whole - 1)).toBe(1)
    expect(slave.epochAt(whole)).toBe(7)
    await bench.clock.settle()
    await other.clock.outcome(slave.adoptLineage(lineage))
    expect(() => slave.append(message('demoted'))).toThrow('no epoch was opened')
  })

  test('stops dispatch at damaged bytes and says so', async () => {
    const { master } = await masterWith(5)
    const bench = new StoreBench()
    const slave = await bench.open()
    const [first, second] = [master.record(0).size, master.record(master.record(0).size).size]
    const bytes = Buffer.from(master.read(0, first + second))
    bytes.writeInt32BE(77, first + 4)
    slave.appendRaw(0, bytes)
    await expect(bench.clock.outcome(slave.dispatched.reached(first + 1))).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
    })
    expect(slave.dispatched.at).toBe(first)
    expect(bench.logger.lines.map((line) => line.level)).toContain('error')
  })
})

describe('a cut', () => {
  test('removes log and queue ends, saves the bytes, and appends go on from there', async () => {
    const { bench, master } = await masterWith(60)
    const before = logBytes(master)
    const queue = master.queue('payments', 1)
    const units = queue?.units(0, 5) ?? []
    const cut = units[3]?.offset ?? 0
    const end = master.end
    const stale = master.dispatched.reached(end + 1)
    stale.catch(() => {})
    const lateListener: Arrival[] = []
    master.onDispatched((arrival) => lateListener.push(arrival))
    await bench.clock.outcome(master.truncateTo(cut))
    await expect(stale).rejects.toMatchObject({ code: 'LOG_CLOSED' })
    expect(master.end).toBe(cut)
    expect(master.flushed.at).toBe(cut)
    expect(logBytes(master).equals(before.subarray(0, cut))).toBe(true)
    expect(master.queue('payments', 1)?.maxOffset).toBe(3)

    const [saved = ''] = bench.disk.list('/data/store/diverged')
    let at = cut
    for (const name of bench.disk.list(`/data/store/diverged/${saved}`)) {
      expect(Number(name)).toBe(at)
      const file = bench.disk.open(`/data/store/diverged/${saved}/${name}`, 'read')
      const bytes = Buffer.alloc(file.size())
      file.read(bytes, 0)
      expect(bytes.equals(before.subarray(at, at + bytes.length))).toBe(true)
      at += bytes.length
    }
    expect(at).toBe(end)

    expect(() => master.append(message('x'))).toThrow('no epoch was opened')
    await bench.clock.outcome(master.openEpoch())
    const again = master.append(message('again', 'payments', 1))
    expect(again).toMatchObject({ offset: cut, queueOffset: 3 })
    await bench.dispatched(master)
    expect(lateListener.map((arrival) => arrival.queueOffset)).toEqual([3])
    expect(bodies(master, 'payments', 1)).toHaveLength(4)
  })

  test('drops the epochs that lose all their bytes', async () => {
    const { bench, master } = await masterWith(10)
    const end = master.end
    await bench.clock.outcome(master.openEpoch(5))
    master.append(message('newer'))
    await bench.clock.outcome(master.truncateTo(end))
    expect(master.lineage?.epochs.map((epoch) => epoch.epoch)).toEqual([1])
    await bench.clock.outcome(master.truncateTo(0))
    expect(master.lineage?.epochs).toEqual([])
    expect(master.end).toBe(0)
  })

  test('to the minimum leaves an empty log, which may begin anywhere', async () => {
    const { master } = await masterWith(60)
    const bench = new StoreBench()
    const slave = await bench.open()
    for (let at = 8192; at < master.end; at = slave.end) slave.appendRaw(at, master.read(at, 10_000))
    await bench.clock.outcome(slave.truncateTo(8192))
    expect(slave.end).toBe(slave.minOffset)
    expect([...slave.queueOffsets()]).toEqual([])
    for (let at = 4096; at < master.end; at = slave.end) slave.appendRaw(at, master.read(at, 10_000))
    await bench.dispatched(slave)
    const own = slave.queue('payments', 1)
    expect(own?.minOffset).toBe(master.queue('payments', 1)?.offsetAtOrAfter(4096))
    expect(own?.maxOffset).toBe(master.queue('payments', 1)?.maxOffset)
  })

  test.each(['kill', 'power'] as const)(
    'is finished by the next start, wherever a crash (%s) falls',
    async (how) => {
      const { master } = await masterWith(60)
      let crashes = 0
      for (let crashAt = 1; ; crashAt += 1) {
        const bench = new StoreBench({}, crashAt)
        const lineage = master.lineage
        if (lineage === undefined) throw new Error('a master has a lineage')
        let armed = false
        const dying = bench.dying(how, crashAt, () => armed)
        const slave = await bench.clock.outcome(bench.opening({}, dying.files))
        await bench.clock.outcome(slave.adoptLineage(lineage))
        copy(master, slave, bench)
        await bench.clock.outcome(slave.flush())
        slave.saveConfirmed(2000)
        await bench.clock.advance(20_000)
        armed = true
        const cut = 5000
        let ended = false
        const cutting = slave.truncateTo(cut).finally(() => (ended = true))
        cutting.catch(() => {})
        await bench.clock.runUntil(() => dying.crashed || ended)
        if (!dying.crashed) break
        crashes += 1

        const again = await bench.open()
        expect(again.confirmedOnDisk).toBe(2000)
        // Within a record: that record goes too.
        const whole = again.end
        if (whole > cut) expect(whole).toBe(master.end)
        else {
          expect(whole).toBeGreaterThan(cut - 1100)
          expect(bench.disk.list('/data/store/diverged')).toHaveLength(1)
        }
        expect(again.dispatched.at).toBe(whole)
        expect(logBytes(again).equals(logBytes(master).subarray(0, whole))).toBe(true)
        copy(master, again, bench)
        await bench.dispatched(again)
        for (const [topic, queueId] of [
          ['orders', 0],
          ['orders', 1],
          ['payments', 0],
          ['payments', 1],
        ] as const) {
          expect(bodies(again, topic, queueId)).toEqual(bodies(master, topic, queueId))
        }
      }
      expect(crashes).toBeGreaterThan(20)
    },
  )
})
