import { RecordingLogger, RecordingMeter } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import {
  MessageStore,
  Retention,
  apacheRetention,
  type DiskLevel,
  type Hold,
  type RetentionRules,
} from './index.ts'
import { planRound } from './retention-rules.ts'
import { StoreBench, message } from './store-bench.test-kit.ts'

const SEGMENT = 4096
const HOUR = 3_600_000
const root = '/data/store'

const plan = (now: number, used: number, rules: Partial<RetentionRules> = {}) => {
  const { remove, level } = planRound(
    { ...apacheRetention, ...rules },
    { now, disk: { free: 1 - used, total: 1 } },
  )
  return `${remove} ${level}`
}

describe('when to remove', () => {
  const noon = new Date(2026, 4, 5, 12, 30).getTime()
  const four = new Date(2026, 4, 5, 4, 59).getTime()
  test('in the hours of deleteWhen, else when the disk fills, as Apache', () => {
    expect(plan(noon, 0.5)).toBe('nothing roomy')
    expect(plan(four, 0.5)).toBe('expired roomy')
    expect(plan(noon, 0.5, { hours: [4, 12] })).toBe('expired roomy')
    expect(plan(noon, 0.76)).toBe('expired filling')
    expect(plan(noon, 0.86)).toBe('oldest forcing')
    expect(plan(noon, 0.91)).toBe('oldest warning')
    expect(plan(noon, 0.91, { cleansForcibly: false })).toBe('expired warning')
  })
})

class RetentionBench extends StoreBench {
  readonly meter = new RecordingMeter()
  readonly told = new RecordingLogger()
  readonly asked: DiskLevel[] = []
  hold: Hold | undefined
  retention: Retention | undefined

  start(store: MessageStore, rules: Partial<RetentionRules>): void {
    const ports = { files: this.disk.mount(), clock: this.clock, logger: this.told, meter: this.meter }
    const all = { ...apacheRetention, hours: [...Array.from({ length: 24 }).keys()], ...rules }
    this.retention = new Retention(all, store, root, ports, (level) => {
      this.asked.push(level)
      return this.hold
    })
  }

  /** `count` messages of about 500 bytes, on disk and in synced queues. */
  async fill(store: MessageStore, count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) store.append(message(`${n}-${'x'.repeat(400)}`))
    await this.clock.outcome(store.flush())
    await this.clock.advance(10_000)
  }
}

describe('retention', () => {
  test('keeps a segment for its time, counted from its last message, and the newest always', async () => {
    const bench = new RetentionBench()
    const store = await bench.openMaster()
    await bench.fill(store, 40)
    await bench.clock.advance(24 * HOUR)
    await bench.fill(store, 8)
    bench.start(store, { reservedMs: 72 * HOUR, pauseMs: 100 })
    await bench.clock.advance(47 * HOUR)
    expect(store.minOffset).toBe(0)
    await bench.clock.advance(2 * HOUR)
    // The one that the second day's first message lies in, and what follows, is younger.
    const later = store.minOffset
    expect(later).toBeGreaterThanOrEqual(3 * SEGMENT)
    expect(store.record(later + SEGMENT).storeTimestamp).toBeGreaterThan(bench.clock.now() - 72 * HOUR)
    await bench.clock.advance(100 * HOUR)
    expect(store.end - store.minOffset).toBeLessThanOrEqual(SEGMENT)
    await bench.clock.outcome(bench.retention?.stop() ?? Promise.resolve())
    expect(bench.clock.pending).toBe(0)
  })

  test('takes so many in a round, with a pause between two', async () => {
    const bench = new RetentionBench()
    const store = await bench.openMaster()
    await bench.fill(store, 60)
    bench.start(store, { reservedMs: 0, batchMax: 2, pauseMs: 1000, intervalMs: 100_000 })
    await bench.clock.advance(600_100)
    expect(store.minOffset).toBe(SEGMENT)
    await bench.clock.advance(10_000)
    expect(store.minOffset).toBe(2 * SEGMENT)
    await bench.clock.advance(110_000)
    expect(store.minOffset).toBe(4 * SEGMENT)
  })

  test('keeps what others need, and says once for whom', async () => {
    const bench = new RetentionBench()
    const store = await bench.openMaster()
    await bench.fill(store, 60)
    bench.hold = { from: 2 * SEGMENT + 5, words: 'replica "b-1" has not copied them yet' }
    bench.start(store, { reservedMs: 0 })
    await bench.clock.advance(HOUR)
    expect(store.minOffset).toBe(2 * SEGMENT)
    expect(bench.told.lines.filter(({ message: text }) => text.includes('"b-1"'))).toHaveLength(1)
    bench.hold = undefined
    await bench.clock.advance(HOUR)
    expect(store.end - store.minOffset).toBeLessThanOrEqual(SEGMENT)
  })

  test('frees a disk that is nearly full, before the time, and sends go on by themselves', async () => {
    const bench = new RetentionBench({ preZeroBytes: 0, tailBytes: 4096 })
    const store = await bench.openMaster()
    await bench.fill(store, 10)
    const total = 200_000
    bench.disk.resize(total)
    bench.start(store, { reservedMs: 72 * HOUR, pauseMs: 0 })
    let refused = 0
    for (let n = 0; n < 600; n += 1) {
      try {
        store.append(message(`${n}-${'x'.repeat(400)}`))
      } catch (failure) {
        expect(failure).toMatchObject({ code: 'DISK_FULL' })
        refused += 1
      }
      // Faster than the rounds at first: the disk does get full.
      await bench.clock.advance(n < 400 ? 10 : 10_000)
    }
    expect(refused).toBeGreaterThan(0)
    expect(store.isDiskFull).toBe(false)
    expect(store.append(message('goes on')).size).toBeGreaterThan(0)
    expect(store.minOffset).toBeGreaterThan(0)
    expect(bench.told.lines.some(({ message: text }) => text.includes('whether or not'))).toBe(true)
    expect(bench.asked).toContain('warning')
    await bench.clock.advance(10_000)
    const { free } = bench.disk.space(root)
    expect(free / total).toBeGreaterThan(0.1)
  })

  test('leaves as much free as it is told to', async () => {
    const bench = new StoreBench({ keptFreeRatio: 0.5, preZeroBytes: 0 })
    const store = await bench.openMaster()
    bench.disk.resize(100_000)
    const fill = () => {
      for (;;) store.append(message('x'.repeat(1000)))
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    // Queues and state files take a little of it.
    expect(bench.disk.space(root).free).toBeGreaterThanOrEqual(45_000)
    expect(store.end).toBeGreaterThan(20_000)
  })
})
