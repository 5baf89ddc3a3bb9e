import { BrokerError, Frontier, silentLogger } from '@tandemmq/base'
import { SeededRandom, SimulatedClock } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import { GroupCommit, type SyncableLog } from './group-commit.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

/** A log whose syncs take time; `durable` is what a power cut would leave. */
class SlowLog implements SyncableLog {
  readonly written = new Frontier(0)
  readonly flushed = new Frontier(0)
  fence: BrokerError | undefined
  syncs = 0
  running = 0
  durable = 0
  failNext = false
  readonly #clock: SimulatedClock
  readonly #random: SeededRandom

  constructor(clock: SimulatedClock, random: SeededRandom) {
    this.#clock = clock
    this.#random = random
  }

  async sync(): Promise<void> {
    this.syncs += 1
    this.running += 1
    expect(this.running).toBe(1)
    const covered = this.written.at
    await new Promise<void>((resolve) => this.#clock.after(1 + this.#random.below(5), resolve))
    this.running -= 1
    if (this.failNext) throw new Error('EIO')
    this.durable = covered
  }

  fenceOff(cause: unknown): BrokerError {
    this.fence = new BrokerError('LOG_FENCED', 'the disk failed', { cause })
    this.flushed.fail(this.fence)
    return this.fence
  }
}

describe('group commit', () => {
  test('promises only what a sync that began later has covered, and shares syncs', async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const clock = new SimulatedClock()
      const random = new SeededRandom(seed)
      const log = new SlowLog(clock, random)
      const commit = new GroupCommit(log, silentLogger)
      const waits: Promise<void>[] = []
      for (let n = 0; n < 60; n += 1) {
        const end = log.written.at + 1 + random.below(100)
        log.written.advance(end)
        waits.push(commit.commit(end).then(() => expect(log.durable).toBeGreaterThanOrEqual(end)))
        if (random.chance(1, 5)) waits.push(commit.syncOnce())
        if (random.chance(1, 3)) await clock.advance(random.below(4))
      }
      await clock.outcome(Promise.all(waits))
      await clock.outcome(commit.idle())
      expect(log.syncs).toBeLessThan(60)
      expect(log.flushed.at).toBe(log.written.at)
    }
  })

  test('takes all that arrives in one turn with one sync, and rests then', async () => {
    const clock = new SimulatedClock()
    const log = new SlowLog(clock, new SeededRandom(1))
    const commit = new GroupCommit(log, silentLogger)
    const waits: Promise<void>[] = []
    for (let n = 1; n <= 500; n += 1) {
      log.written.advance(n)
      waits.push(commit.commit(n))
    }
    await clock.outcome(Promise.all(waits))
    expect(log.syncs).toBe(1)
    expect(clock.pending).toBe(0)
  })

  test('never tries again after a failure', async () => {
    const clock = new SimulatedClock()
    const log = new SlowLog(clock, new SeededRandom(1))
    const commit = new GroupCommit(log, silentLogger)
    log.written.advance(10)
    log.failNext = true
    const fenced = expect.objectContaining({ code: 'LOG_FENCED' })
    const first = commit.commit(10)
    const other = commit.syncOnce()
    const both = Promise.allSettled([first, other])
    await clock.outcome(both)
    expect(await both).toEqual([
      { status: 'rejected', reason: fenced },
      { status: 'rejected', reason: fenced },
    ])
    log.failNext = false
    await expect(commit.commit(5)).rejects.toMatchObject({ code: 'LOG_FENCED' })
    await expect(commit.syncOnce()).rejects.toMatchObject({ code: 'LOG_FENCED' })
    expect(log.syncs).toBe(1)
    expect(log.flushed.at).toBe(0)
  })
})

describe('a store whose disk fails', () => {
  test('is fenced for good by a failed sync; a restart recovers what is there', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    store.append(message('one'))
    await bench.clock.outcome(store.flush())
    const safe = store.end
    store.append(message('two'))
    bench.disk.fail({ call: 'dataSync', code: 'EIO', matching: /commitlog/ })
    await expect(bench.clock.outcome(store.flush())).rejects.toMatchObject({ code: 'LOG_FENCED' })
    await expect(bench.clock.outcome(store.flush())).rejects.toMatchObject({ code: 'LOG_FENCED' })
    expect(() => store.append(message('three'))).toThrow(expect.objectContaining({ code: 'LOG_FENCED' }))
    expect(store.flushed.at).toBe(safe)
    expect(store.isWritable).toBe(false)
    await bench.clock.advance(10_000)
    await bench.clock.outcome(store.close())
    bench.cutPower()
    const again = await bench.open()
    expect(again.recovery.cleanStop).toBe(false)
    expect(again.end).toBeGreaterThanOrEqual(safe)
  })

  test('stores nothing when it is full, uses no queue offset, and goes on when there is room', async () => {
    const bench = new StoreBench({ preZeroBytes: 0, segmentBytes: 65_536, maxMessageBytes: 32_768 })
    const store = await bench.openMaster()
    store.append(message('one'))
    await bench.clock.outcome(store.flush())
    await bench.clock.advance(20_000)
    const end = store.end
    bench.disk.resize(1)
    const full = expect.objectContaining({ code: 'DISK_FULL' })
    expect(() => store.append(message('f'.repeat(20_000)))).toThrow(full)
    bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog/ })
    expect(() => store.append(message('s'))).toThrow(full)
    expect(store.end).toBe(end)
    bench.disk.resize(2 ** 40)
    expect(store.append(message('two'))).toMatchObject({ offset: end, queueOffset: 1 })
    await bench.clock.outcome(store.flush())
    bench.kill()
    const again = await bench.open()
    expect(again.recovery.truncatedBytes).toBe(0)
    expect(again.queue('orders', 0)?.maxOffset).toBe(2)
  })

  test('leaves nothing behind a failed write that a restart could take for a record', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const bench = new StoreBench({ preZeroBytes: 0 }, seed)
      const store = await bench.openMaster()
      store.append(message('one'))
      const end = store.end
      bench.disk.fail({ call: 'write', code: 'ENOSPC', matching: /commitlog/ })
      expect(() => store.append(message('x'.repeat(1500)))).toThrow(
        expect.objectContaining({ code: 'DISK_FULL' }),
      )
      bench.kill()
      const again = await bench.open()
      expect(again.end).toBe(end)
      expect(again.recovery.truncatedBytes).toBe(0)
    }
  })

  test('catches up when consume queues could not be written for a while', async () => {
    const bench = new StoreBench()
    const store = await bench.openMaster()
    bench.disk.fail({ call: 'write', code: 'EIO', matching: /consumequeue/ })
    store.append(message('one'))
    store.append(message('two', 'payments'))
    await bench.clock.settle()
    expect(store.dispatched.at).toBe(0)
    store.append(message('three'))
    await bench.clock.advance(1500)
    expect(store.dispatched.at).toBe(store.end)
    expect(store.queue('orders', 0)?.maxOffset).toBe(2)
    expect(store.queue('payments', 0)?.maxOffset).toBe(1)
  })
})
